package io.trimtab.hub.gguf;

import java.util.Arrays;
import java.util.Optional;

/** The types of metadata values. */
public enum GgufType {
  /** Unsigned, 8 bits. */
  U8(0, 1),
  /** Signed, 8 bits. */
  I8(1, 1),
  /** Unsigned, 16 bits. */
  U16(2, 2),
  /** Signed, 16 bits. */
  I16(3, 2),
  /** Unsigned, 32 bits. */
  U32(4, 4),
  /** Signed, 32 bits. */
  I32(5, 4),
  /** Single precision. */
  F32(6, 4),
  /** One byte, 0 or 1. */
  BOOL(7, 1),
  /** 64 bits of length and UTF-8. */
  TEXT(8, 8),
  /** A type, a count of 64 bits and the values. */
  ARRAY(9, 12),
  /** Unsigned, 64 bits. */
  U64(10, 8),
  /** Signed, 64 bits. */
  I64(11, 8),
  /** Double precision. */
  F64(12, 8);

  private final int number;
  private final int leastBytes;

  GgufType(int number, int leastBytes) {
    this.number = number;
    this.leastBytes = leastBytes;
  }

  /** The number that stands for the type in files. */
  int number() {
    return number;
  }

  /** The fewest bytes that a value takes. */
  int leastBytes() {
    return leastBytes;
  }

  static Optional<GgufType> of(int number) {
    return Arrays.stream(values()).filter(type -> type.number == number).findFirst();
  }
}
