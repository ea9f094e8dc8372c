package io.trimtab.model.generate;

import io.trimtab.hub.EncodeOptions;
import io.trimtab.hub.Encoding;
import io.trimtab.hub.SpecialToken;
import io.trimtab.hub.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.OptionalInt;

/** Every token is a byte of UTF-8. */
final class ByteTokenizer implements Tokenizer {
  static int[] tokens(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    int[] ids = new int[bytes.length];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = bytes[i] & 0xff;
    }
    return ids;
  }

  @Override
  public Encoding encode(String text, EncodeOptions options) {
    throw new UnsupportedOperationException();
  }

  @Override
  public Encoding encode(String first, String second, EncodeOptions options) {
    throw new UnsupportedOperationException();
  }

  @Override
  public OptionalInt tokenId(String token) {
    return OptionalInt.empty();
  }

  @Override
  public String token(int id) {
    return String.valueOf(id);
  }

  @Override
  public String decode(int[] ids, boolean skipSpecial) {
    byte[] bytes = new byte[ids.length];
    for (int i = 0; i < ids.length; i++) {
      bytes[i] = (byte) ids[i];
    }
    return new String(bytes, StandardCharsets.UTF_8);
  }

  @Override
  public Optional<String> special(SpecialToken role) {
    return Optional.empty();
  }

  @Override
  public int vocabularySize() {
    return 256;
  }

  @Override
  public void close() {}
}
