package io.trimtab.hub.blocks;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * A table of 256 numbers from -1 to 1 whose steps grow with their magnitude: the more bits say
 * which power of ten, the fewer say where in it ("8-bit Optimizers via Block-wise Quantization",
 * Dettmers and others, 2022, section 1.3, "dynamic tree quantization").
 */
final class DynamicCode {
  /** How many scales share one of their own. */
  static final int BLOCK = 256;

  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final int POWERS = 7;

  private DynamicCode() {}

  /**
   * The table, rising: zero, one, and in each of seven powers of ten the middles of equal parts.
   */
  static float[] table() {
    float[] table = new float[256];
    int next = 0;
    for (int power = 0; power < POWERS; power++) {
      int parts = 1 << power;
      float factor = (float) Math.pow(10, power - POWERS + 1);
      for (int i = 0; i < parts; i++) {
        float middle = (border(i, parts) + border(i + 1, parts)) / 2 * factor;
        table[next++] = middle;
        table[next++] = -middle;
      }
    }
    table[next++] = 0;
    table[next] = 1;
    Arrays.sort(table);
    return table;
  }

  /** The borders of equal parts of [0.1, 1], counted from the nearer end. */
  private static float border(int i, int parts) {
    float step = (1 - 0.1f) / parts;
    return i < (parts + 1) / 2 ? Math.fma(step, i, 0.1f) : Math.fma(-step, parts - i, 1f);
  }

  static Scales.Nested quantize(Scales scales, Arena arena) {
    long count = scales.count();
    double sum = 0;
    for (long i = 0; i < count; i++) {
      sum += scales.at(i);
    }
    float mean = (float) (sum / Math.max(1, count));
    float[] table = table();
    MemorySegment codes = arena.allocate(Math.max(1, count)).asSlice(0, count);
    long blocks = Math.ceilDiv(count, BLOCK);
    MemorySegment outer = arena.allocate(blocks * Float.BYTES, Float.BYTES);
    for (long block = 0; block < blocks; block++) {
      long end = Math.min(count, (block + 1) * BLOCK);
      float largest = 0;
      for (long i = block * BLOCK; i < end; i++) {
        largest = Math.max(largest, Math.abs(scales.at(i) - mean));
      }
      outer.set(FLOAT, block * Float.BYTES, largest);
      for (long i = block * BLOCK; i < end; i++) {
        float value = largest == 0 ? 0 : (scales.at(i) - mean) / largest;
        codes.set(ValueLayout.JAVA_BYTE, i, (byte) nearest(table, value));
      }
    }
    return new Scales.Nested(codes, table, new Scales.Plain(outer), BLOCK, mean);
  }

  private static int nearest(float[] table, float value) {
    int found = Arrays.binarySearch(table, value);
    if (found >= 0) {
      return found;
    }
    int above = Math.min(-found - 1, table.length - 1);
    int below = Math.max(above - 1, 0);
    return value - table[below] <= table[above] - value ? below : above;
  }
}
