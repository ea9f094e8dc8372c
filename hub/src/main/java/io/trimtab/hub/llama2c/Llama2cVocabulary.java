package io.trimtab.hub.llama2c;

import io.trimtab.hub.FileFormatException;
import io.trimtab.hub.vocabulary.Frame;
import io.trimtab.hub.vocabulary.Pieces;
import io.trimtab.hub.vocabulary.SentencePieceBpe;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A vocabulary of llama2.c: the length of the longest token, then score, length and bytes of each.
 * It is SentencePiece's with {@code ▁} written as blanks.
 */
final class Llama2cVocabulary {
  private static final int FIRST_BYTE = 3;
  private static final int BYTES = 256;

  private Llama2cVocabulary() {}

  /** What {@code tokenizer.json} would say of a file with {@code count} tokens. */
  static Map<String, @Nullable Object> json(Path file, int count) {
    ByteBuffer bytes = read(file);
    List<String> tokens = new ArrayList<>();
    List<Double> scores = new ArrayList<>();
    List<Pieces.Kind> kinds = new ArrayList<>();
    require(file, bytes, Integer.BYTES);
    bytes.getInt();
    for (int i = 0; i < count; i++) {
      require(file, bytes, Float.BYTES + Integer.BYTES);
      scores.add((double) bytes.getFloat());
      int length = bytes.getInt();
      require(file, bytes, length);
      byte[] token = new byte[length];
      bytes.get(token);
      tokens.add(spelling(file, i, token));
      kinds.add(kind(i));
    }
    if (bytes.hasRemaining()) {
      throw new FileFormatException(
          file, "goes on for %d bytes after %d tokens".formatted(bytes.remaining(), count));
    }
    return SentencePieceBpe.json(
        new Pieces(tokens, kinds), scores, 0, true, new Frame(1, -1, false));
  }

  private static Pieces.Kind kind(int id) {
    return switch (id) {
      case 0 -> Pieces.Kind.UNKNOWN;
      case 1, 2 -> Pieces.Kind.CONTROL;
      default -> id < FIRST_BYTE + BYTES ? Pieces.Kind.BYTE : Pieces.Kind.NORMAL;
    };
  }

  private static String spelling(Path file, int id, byte[] token) {
    if (id < FIRST_BYTE) {
      return List.of("<unk>", "<s>", "</s>").get(id); // with line breaks around in the file
    }
    if (id < FIRST_BYTE + BYTES) {
      return "<0x%02X>".formatted(id - FIRST_BYTE);
    }
    try {
      return StandardCharsets.UTF_8
          .newDecoder()
          .decode(ByteBuffer.wrap(token))
          .toString()
          .replace(' ', '\u2581');
    } catch (CharacterCodingException e) {
      throw new FileFormatException(file, "is damaged: token " + id + " is not UTF-8", e);
    }
  }

  private static void require(Path file, ByteBuffer bytes, int length) {
    if (length < 0 || bytes.remaining() < length) {
      throw new FileFormatException(
          file,
          "is damaged or of another vocabulary: %d bytes wanted where %d are left"
              .formatted(length, bytes.remaining()));
    }
  }

  private static ByteBuffer read(Path file) {
    try {
      return ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    } catch (IOException e) {
      throw new FileFormatException(file, "cannot be read (" + e.getMessage() + ")", e);
    }
  }
}
