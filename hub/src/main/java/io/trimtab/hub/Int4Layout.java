package io.trimtab.hub;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * The same 4-bit whole numbers in two layouts: blocks of Q4_0, where values i and i + 16 of 32
 * share a byte behind their scale, and the rows of compressed-tensors' {@code pack-quantized},
 * where neighbours share one, the first in its low half, and scales are apart.
 */
final class Int4Layout {
  /** The values that share a scale. */
  static final int GROUP = 32;

  private static final int BLOCK = 18;
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private Int4Layout() {}

  /** The scale of a group. */
  interface GroupScale {
    float of(long group);
  }

  /**
   * Blocks of Q4_0 of what is laid out in rows; scales are rounded to half precision.
   *
   * @throws IllegalArgumentException for a scale that it does not hold
   */
  static MemorySegment blocks(MemorySegment rows, GroupScale scales, Arena arena) {
    long groups = rows.byteSize() * 2 / GROUP;
    MemorySegment blocks = arena.allocate(groups * BLOCK, Long.BYTES);
    byte[] from = new byte[GROUP / 2];
    byte[] to = new byte[GROUP / 2];
    for (long group = 0; group < groups; group++) {
      MemorySegment.copy(rows, ValueLayout.JAVA_BYTE, group * GROUP / 2, from, 0, from.length);
      for (int i = 0; i < to.length; i++) {
        to[i] = (byte) (nibble(from, i) | nibble(from, i + GROUP / 2) << 4);
      }
      short scale = Float.floatToFloat16(scales.of(group));
      if (!Float.isFinite(Float.float16ToFloat(scale))) {
        throw new IllegalArgumentException(scales.of(group) + " is no scale in half precision");
      }
      blocks.set(SHORT, group * BLOCK, scale);
      MemorySegment.copy(
          to, 0, blocks, ValueLayout.JAVA_BYTE, group * BLOCK + Short.BYTES, to.length);
    }
    return blocks;
  }

  private static int nibble(byte[] bytes, int i) {
    return (bytes[i / 2] >> (i % 2 * 4)) & 15;
  }

  /** The rows of what is in blocks of Q4_0. */
  static MemorySegment rows(MemorySegment blocks, Arena arena) {
    long groups = blocks.byteSize() / BLOCK;
    MemorySegment rows = arena.allocate(groups * GROUP / 2, Long.BYTES);
    byte[] from = new byte[GROUP / 2];
    byte[] to = new byte[GROUP / 2];
    for (long group = 0; group < groups; group++) {
      MemorySegment.copy(
          blocks, ValueLayout.JAVA_BYTE, group * BLOCK + Short.BYTES, from, 0, from.length);
      for (int i = 0; i < to.length; i++) {
        int first = 2 * i;
        int shift = first < GROUP / 2 ? 0 : 4;
        int low = (from[first % (GROUP / 2)] >> shift) & 15;
        int high = (from[(first + 1) % (GROUP / 2)] >> shift) & 15;
        to[i] = (byte) (low | high << 4);
      }
      MemorySegment.copy(to, 0, rows, ValueLayout.JAVA_BYTE, group * GROUP / 2, to.length);
    }
    return rows;
  }

  /** The scales of blocks of Q4_0, in half precision. */
  static MemorySegment scales(MemorySegment blocks, Arena arena) {
    long groups = blocks.byteSize() / BLOCK;
    MemorySegment scales = arena.allocate(groups * Short.BYTES, Long.BYTES);
    for (long group = 0; group < groups; group++) {
      scales.set(SHORT, group * Short.BYTES, blocks.get(SHORT, group * BLOCK));
    }
    return scales;
  }
}
