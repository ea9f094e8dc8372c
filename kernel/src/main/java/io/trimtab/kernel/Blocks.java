package io.trimtab.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Takes blocks of a {@link Format} apart: weight j of a group is {@code scale · q[j] + minimum}.
 * Scale and minimum are exact in F32: they are an f16 times an integer of at most 8 bits.
 */
final class Blocks {
  static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final Format format;
  private final int[] q;
  private float scale;
  private float minimum;

  Blocks(Format format) {
    this.format = format;
    q = new int[format.group()];
  }

  float scale() {
    return scale;
  }

  float minimum() {
    return minimum;
  }

  int q(int j) {
    return q[j];
  }

  /** Reads group {@code index} of the block at byte {@code at}. */
  void read(MemorySegment data, long at, int index) {
    minimum = 0;
    switch (format) {
      case Q8_0 -> {
        scale = half(data, at);
        for (int j = 0; j < 32; j++) {
          q[j] = data.get(ValueLayout.JAVA_BYTE, at + 2 + j);
        }
      }
      case Q4_0 -> {
        scale = half(data, at);
        minimum = -8 * scale;
        nibbles(data, at + 2);
      }
      case Q4_1 -> {
        scale = half(data, at);
        minimum = half(data, at + 2);
        nibbles(data, at + 4);
      }
      case Q4_K -> fourBits(data, at, index);
      case Q6_K -> sixBits(data, at, index);
    }
  }

  /** Byte j has weight j in its lower and weight j + 16 in its upper half. */
  private void nibbles(MemorySegment data, long at) {
    for (int j = 0; j < 16; j++) {
      int both = unsigned(data, at + j);
      q[j] = both & 0xF;
      q[j + 16] = both >> 4;
    }
  }

  /**
   * The 6-bit scales and minima of groups 0 to 3 are the lower bits of bytes 4 to 7 and 8 to 11;
   * those of groups 4 to 7 have their lower 4 bits in bytes 12 to 15, and the upper 2 atop those of
   * the group four before.
   */
  private void fourBits(MemorySegment data, long at, int group) {
    int s;
    int t;
    if (group < 4) {
      s = unsigned(data, at + 4 + group) & 63;
      t = unsigned(data, at + 8 + group) & 63;
    } else {
      int lower = unsigned(data, at + 8 + group);
      s = (lower & 0xF) | ((unsigned(data, at + group) >> 6) << 4);
      t = (lower >> 4) | ((unsigned(data, at + 4 + group) >> 6) << 4);
    }
    scale = half(data, at) * s;
    minimum = -(half(data, at + 2) * t);
    int shift = 4 * (group & 1);
    for (int j = 0; j < 32; j++) {
      q[j] = (unsigned(data, at + 16 + group / 2 * 32L + j) >> shift) & 0xF;
    }
  }

  /**
   * Each half of the block, 128 weights, has 64 bytes of lower and 32 of upper bits; weight j of a
   * half is in row j / 32 of four: rows 0 and 2 in lower, 1 and 3 shifted by one byte row.
   */
  private void sixBits(MemorySegment data, long at, int group) {
    int half = group / 8;
    int row = group % 8 / 2;
    int first = group % 2 * 16;
    for (int j = 0; j < 16; j++) {
      int column = first + j;
      int both = unsigned(data, at + half * 64L + row % 2 * 32L + column);
      int lower = (both >> (row / 2 * 4)) & 0xF;
      int upper = (unsigned(data, at + 128 + half * 32L + column) >> (2 * row)) & 3;
      q[j] = (lower | (upper << 4)) - 32;
    }
    scale = half(data, at + 208) * data.get(ValueLayout.JAVA_BYTE, at + 192 + group);
  }

  static float half(MemorySegment data, long at) {
    return Float.float16ToFloat(data.get(SHORT, at));
  }

  private static int unsigned(MemorySegment data, long at) {
    return data.get(ValueLayout.JAVA_BYTE, at) & 0xFF;
  }
}
