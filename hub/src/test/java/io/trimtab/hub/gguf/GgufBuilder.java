package io.trimtab.hub.gguf;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Builds GGUF files byte by byte, apart from the code under test; nothing is checked. */
final class GgufBuilder {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  /** Magic, version 3 and the counts. */
  static GgufBuilder file(long tensors, long entries) {
    return new GgufBuilder().raw("GGUF").u32(3).u64(tensors).u64(entries);
  }

  GgufBuilder raw(String ascii) {
    out.writeBytes(ascii.getBytes(StandardCharsets.ISO_8859_1));
    return this;
  }

  GgufBuilder u8(int value) {
    out.write(value);
    return this;
  }

  GgufBuilder u32(int value) {
    out.writeBytes(ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array());
    return this;
  }

  GgufBuilder u64(long value) {
    out.writeBytes(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array());
    return this;
  }

  /** A length and a text, a character a byte. */
  GgufBuilder text(String ascii) {
    return u64(ascii.length()).raw(ascii);
  }

  /** A key and the number of its type; the value comes next. */
  GgufBuilder key(String key, int type) {
    return text(key).u32(type);
  }

  /** A line of the directory of tensors; sizes innermost first, as in the file. */
  GgufBuilder tensor(String name, int type, long offset, long... sizes) {
    text(name).u32(sizes.length);
    for (long size : sizes) {
      u64(size);
    }
    return u32(type).u64(offset);
  }

  /** Zeros up to a multiple of {@code alignment}. */
  GgufBuilder pad(int alignment) {
    while (out.size() % alignment != 0) {
      out.write(0);
    }
    return this;
  }

  GgufBuilder zeros(int count) {
    out.writeBytes(new byte[count]);
    return this;
  }

  byte[] bytes() {
    return out.toByteArray();
  }
}
