package io.trimtab.hub;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Opens the tokenizer of a model directory. */
public final class Tokenizers {
  private Tokenizers() {}

  /**
   * Opens the tokenizer of a directory in the Hugging Face layout: {@code tokenizer.json}, or
   * {@code vocab.txt} (WordPiece), or {@code vocab.json} with {@code merges.txt} (byte-level BPE).
   * {@code tokenizer_config.json} and {@code special_tokens_map.json} name the special tokens where
   * they are there. Truncation and padding baked into the files are ignored. The caller closes it.
   *
   * @throws HubException.NotFound when the directory has none of these
   * @throws HubException.Malformed when the files cannot be understood
   */
  public static Tokenizer open(Path directory) {
    Map<String, @Nullable Object> config = new LinkedHashMap<>();
    for (String name : new String[] {"special_tokens_map.json", "tokenizer_config.json"}) {
      Path file = directory.resolve(name);
      if (Files.isRegularFile(file)) {
        config.putAll(Json.readObject(file));
      }
    }
    Path whole = directory.resolve("tokenizer.json");
    Path wordPieces = directory.resolve("vocab.txt");
    Path bpe = directory.resolve("vocab.json");
    Path merges = directory.resolve("merges.txt");
    if (Files.isRegularFile(whole)) {
      return new HuggingFaceTokenizers(readBytes(whole), whole.toString(), config);
    }
    if (Files.isRegularFile(wordPieces)) {
      String json = TokenizerJson.wordPiece(wordPieces, config);
      return new HuggingFaceTokenizers(
          json.getBytes(StandardCharsets.UTF_8), wordPieces.toString(), config);
    }
    if (Files.isRegularFile(bpe) && Files.isRegularFile(merges)) {
      String json = TokenizerJson.byteLevelBpe(bpe, merges, config);
      return new HuggingFaceTokenizers(
          json.getBytes(StandardCharsets.UTF_8), bpe.toString(), config);
    }
    throw new HubException.NotFound(
        "no tokenizer in "
            + directory
            + "; expected tokenizer.json, vocab.txt, or vocab.json with merges.txt");
  }

  /**
   * A tokenizer from what {@code tokenizer.json} and {@code tokenizer_config.json} would say, as
   * maps, lists, texts, numbers and booleans. The caller closes it.
   *
   * @param name what error messages call it
   * @throws HubException.Malformed when it cannot be understood
   */
  public static Tokenizer of(
      Map<String, @Nullable Object> tokenizerJson,
      Map<String, @Nullable Object> tokenizerConfig,
      String name) {
    byte[] json = Json.write(tokenizerJson).getBytes(StandardCharsets.UTF_8);
    return new HuggingFaceTokenizers(json, name, tokenizerConfig);
  }

  private static byte[] readBytes(Path file) {
    try {
      return Files.readAllBytes(file);
    } catch (IOException e) {
      throw new HubException.Disk("cannot read " + file + ": " + e, e);
    }
  }
}
