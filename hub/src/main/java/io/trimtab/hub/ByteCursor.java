package io.trimtab.hub;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Reads little-endian numbers, varints and slices one after another and never beyond the end. */
final class ByteCursor {
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** Longer names than this are taken for damage, before they can fill the heap. */
  private static final int MAX_TEXT = 1 << 16;

  private final Path file;
  private final MemorySegment bytes;
  private long position;

  /** Reads {@code bytes}, which are a part of {@code file}; the file is for error messages only. */
  ByteCursor(Path file, MemorySegment bytes) {
    this.file = file;
    this.bytes = bytes;
  }

  boolean hasRemaining() {
    return position < bytes.byteSize();
  }

  /** How many bytes have been read. */
  long position() {
    return position;
  }

  /** An unsigned varint of at most 64 bits: seven bits a byte, the lowest first. */
  long varint() {
    long value = 0;
    for (int shift = 0; shift < Long.SIZE; shift += 7) {
      require(1);
      byte next = bytes.get(ValueLayout.JAVA_BYTE, position++);
      value |= (next & 0x7FL) << shift;
      if (next >= 0) {
        return value;
      }
    }
    throw error("a varint is longer than ten bytes");
  }

  /** A varint that counts bytes which must still be there. */
  long length() {
    long length = varint();
    require(length);
    return length;
  }

  int fixed32() {
    require(Integer.BYTES);
    position += Integer.BYTES;
    return bytes.get(INT, position - Integer.BYTES);
  }

  long fixed64() {
    require(Long.BYTES);
    position += Long.BYTES;
    return bytes.get(LONG, position - Long.BYTES);
  }

  /** The next {@code length} bytes, not copied. */
  MemorySegment slice(long length) {
    require(length);
    position += length;
    return bytes.asSlice(position - length, length);
  }

  /** Strictly decoded UTF-8: two different damaged names must not become one. */
  String text(MemorySegment slice) {
    if (slice.byteSize() > MAX_TEXT) {
      throw error("a name has " + slice.byteSize() + " bytes");
    }
    try {
      return StandardCharsets.UTF_8
          .newDecoder()
          .decode(ByteBuffer.wrap(slice.toArray(ValueLayout.JAVA_BYTE)))
          .toString();
    } catch (CharacterCodingException e) {
      throw new FileFormatException(file, "is damaged: a name is not UTF-8", e);
    }
  }

  FileFormatException error(String what) {
    return new FileFormatException(file, "is damaged or of another format: " + what);
  }

  private void require(long length) {
    if (length < 0 || length > bytes.byteSize() - position) {
      throw error(
          "%s bytes wanted where only %d are left"
              .formatted(Long.toUnsignedString(length), bytes.byteSize() - position));
    }
  }
}
