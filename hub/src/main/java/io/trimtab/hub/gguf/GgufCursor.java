package io.trimtab.hub.gguf;

import io.trimtab.hub.FileFormatException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Reads numbers, texts and values one after another and never beyond the end. */
final class GgufCursor {
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final Path file;
  private final MemorySegment bytes;
  private long position;

  GgufCursor(Path file, MemorySegment bytes) {
    this.file = file;
    this.bytes = bytes;
  }

  long position() {
    return position;
  }

  int integer(String what) {
    return bytes.get(INT, advance(Integer.BYTES, what));
  }

  long wide(String what) {
    return bytes.get(LONG, advance(Long.BYTES, what));
  }

  /** A count of things that take at least {@code leastBytes} each, which must still be there. */
  int count(long leastBytes, String what) {
    long count = wide(what);
    long left = bytes.byteSize() - position;
    if (count < 0 || count > left / leastBytes || count > Integer.MAX_VALUE - 8) {
      throw error(
          "%s: %s of them cannot be in the %d bytes that are left"
              .formatted(what, Long.toUnsignedString(count), left));
    }
    return (int) count;
  }

  /** Strictly decoded UTF-8 behind its length. */
  String text(String what) {
    int length = count(1, "length of " + what);
    byte[] utf8 = new byte[length];
    MemorySegment.copy(bytes, ValueLayout.JAVA_BYTE, advance(length, what), utf8, 0, length);
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(utf8)).toString();
    } catch (CharacterCodingException e) {
      throw new FileFormatException(file, "is damaged: " + what + " is not UTF-8", e);
    }
  }

  GgufType type(String what) {
    int number = integer("type of " + what);
    return GgufType.of(number)
        .orElseThrow(
            () -> error(what + " has the unknown type " + Integer.toUnsignedString(number)));
  }

  GgufValue value(GgufType type, String what) {
    return switch (type) {
      case U8 -> new GgufValue.Whole(type, Byte.toUnsignedLong(octet(what)));
      case I8 -> new GgufValue.Whole(type, octet(what));
      case U16 ->
          new GgufValue.Whole(
              type, Short.toUnsignedLong(bytes.get(SHORT, advance(Short.BYTES, what))));
      case I16 -> new GgufValue.Whole(type, bytes.get(SHORT, advance(Short.BYTES, what)));
      case U32 -> new GgufValue.Whole(type, Integer.toUnsignedLong(integer(what)));
      case I32 -> new GgufValue.Whole(type, integer(what));
      case U64, I64 -> new GgufValue.Whole(type, wide(what));
      case F32 -> new GgufValue.Real(type, Float.intBitsToFloat(integer(what)));
      case F64 -> new GgufValue.Real(type, Double.longBitsToDouble(wide(what)));
      case BOOL -> new GgufValue.Flag(flag(what));
      case TEXT -> new GgufValue.Text(text(what));
      case ARRAY -> items(what);
    };
  }

  private GgufValue items(String what) {
    GgufType element = type("elements of " + what);
    if (element == GgufType.ARRAY) {
      throw error(what + " is an array of arrays, which is not supported");
    }
    int count = count(element.leastBytes(), what);
    List<GgufValue> values = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      values.add(value(element, what));
    }
    return new GgufValue.Items(element, values);
  }

  private byte octet(String what) {
    return bytes.get(ValueLayout.JAVA_BYTE, advance(1, what));
  }

  private boolean flag(String what) {
    byte value = octet(what);
    if (value != 0 && value != 1) {
      throw error(what + " is neither true nor false but " + value);
    }
    return value == 1;
  }

  private long advance(long length, String what) {
    if (length > bytes.byteSize() - position) {
      throw error("it ends within " + what);
    }
    position += length;
    return position - length;
  }

  FileFormatException error(String what) {
    return new FileFormatException(file, "is damaged or cut off: " + what);
  }
}
