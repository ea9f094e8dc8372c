package io.trimtab.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Random;

/** Random numbers, and plain double arithmetic to compare with. */
final class Sample {
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private Sample() {}

  /** Blocks of any bits under finite scales, at an odd address as a file may have them. */
  static MemorySegment blocks(Format format, int rows, int columns, Arena arena, Random random) {
    long bytes = (long) columns / format.block() * format.blockBytes() * rows;
    MemorySegment data = arena.allocate(bytes + 1, 64).asSlice(1);
    for (long at = 0; at < bytes; at++) {
      data.set(ValueLayout.JAVA_BYTE, at, (byte) random.nextInt());
    }
    for (long at = 0; at < bytes; at += format.blockBytes()) {
      half(data, format == Format.Q6_K ? at + 208 : at, random);
      if (format == Format.Q4_1 || format == Format.Q4_K) {
        half(data, at + 2, random);
      }
    }
    return data;
  }

  /** Of all sizes, zero and subnormal ones too. */
  private static void half(MemorySegment data, long at, Random random) {
    float value = (float) (random.nextGaussian() * Math.pow(2, -random.nextInt(20)));
    data.set(SHORT, at, Float.floatToFloat16(random.nextInt(10) == 0 ? 0 : value));
  }

  /** What the blocks of a matrix stand for, [rows][columns]. */
  static double[][] weights(Format format, int rows, int columns, MemorySegment blocks) {
    double[][] weights = new double[rows][columns];
    Blocks group = new Blocks(format);
    int groups = format.block() / format.group();
    long rowBytes = (long) columns / format.block() * format.blockBytes();
    for (int row = 0; row < rows; row++) {
      for (int i = 0; i < columns / format.group(); i++) {
        group.read(blocks, row * rowBytes + (long) i / groups * format.blockBytes(), i % groups);
        for (int j = 0; j < format.group(); j++) {
          weights[row][i * format.group() + j] =
              (double) group.scale() * group.q(j) + group.minimum();
        }
      }
    }
    return weights;
  }

  static float[] row(int n, Random random) {
    float[] x = new float[n];
    for (int i = 0; i < n; i++) {
      x[i] = (float) random.nextGaussian();
    }
    return x;
  }

  static MemorySegment native32(float[] numbers, Arena arena) {
    MemorySegment data = arena.allocate(4L * numbers.length, 64);
    MemorySegment.copy(numbers, 0, data, ScalarLanes.FLOAT, 0, numbers.length);
    return data;
  }
}
