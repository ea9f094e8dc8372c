package io.trimtab.hub;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.function.LongConsumer;

/**
 * Reads the fields of one protocol-buffers message from its wire format, without a schema.
 *
 * <pre>{@code
 * while (reader.next()) {
 *   switch (reader.field()) {
 *     case 1 -> count = reader.number();
 *     case 2 -> name = reader.text();
 *     default -> {} // other fields are skipped
 *   }
 * }
 * }</pre>
 */
final class ProtoReader {
  private static final int VARINT = 0;
  private static final int FIXED64 = 1;
  private static final int LENGTH_DELIMITED = 2;
  private static final int FIXED32 = 5;

  private final Path file;
  private final MemorySegment message;
  private final ByteCursor cursor;
  private int field;
  private int wireType;
  private long number;
  private MemorySegment encoded = MemorySegment.NULL;
  private MemorySegment slice = MemorySegment.NULL;

  ProtoReader(Path file, MemorySegment message) {
    this.file = file;
    this.message = message;
    this.cursor = new ByteCursor(file, message);
  }

  /** Goes to the next field; false at the end of the message. */
  boolean next() {
    if (!cursor.hasRemaining()) {
      return false;
    }
    long tag = cursor.varint();
    if (tag >>> 3 == 0 || tag >>> 3 > Integer.MAX_VALUE >>> 2) {
      throw cursor.error("a field has the number " + (tag >>> 3));
    }
    field = (int) (tag >>> 3);
    wireType = (int) (tag & 7);
    long start = cursor.position();
    switch (wireType) {
      case VARINT -> number = cursor.varint();
      case FIXED64 -> number = cursor.fixed64();
      case LENGTH_DELIMITED -> slice = cursor.slice(cursor.length());
      case FIXED32 -> number = Integer.toUnsignedLong(cursor.fixed32());
      default -> throw cursor.error("field " + field + " has the wire type " + wireType);
    }
    encoded = message.asSlice(start, cursor.position() - start);
    return true;
  }

  /** The number of the current field. */
  int field() {
    return field;
  }

  /** The current field as a varint. */
  long number() {
    require(VARINT);
    return number;
  }

  /** The current field as 32 plain bits. */
  int fixed32() {
    require(FIXED32);
    return (int) number;
  }

  /** The current field as bytes, not copied. */
  MemorySegment bytes() {
    require(LENGTH_DELIMITED);
    return slice;
  }

  /** The current field as text. */
  String text() {
    return cursor.text(bytes());
  }

  /** The current field as a message of its own. */
  ProtoReader message() {
    return new ProtoReader(file, bytes());
  }

  /** The current field as one or, if packed, any number of varints. */
  void numbers(LongConsumer consumer) {
    if (wireType == VARINT) {
      consumer.accept(number);
      return;
    }
    var packed = new ByteCursor(file, bytes());
    while (packed.hasRemaining()) {
      consumer.accept(packed.varint());
    }
  }

  /** The encoded elements of a repeated number, packed or a single one of them, not copied. */
  MemorySegment elements() {
    return wireType == LENGTH_DELIMITED ? slice : encoded;
  }

  FileFormatException error(String what) {
    return cursor.error(what);
  }

  private void require(int expected) {
    if (wireType != expected) {
      throw cursor.error(
          "field %d has the wire type %d instead of %d".formatted(field, wireType, expected));
    }
  }
}
