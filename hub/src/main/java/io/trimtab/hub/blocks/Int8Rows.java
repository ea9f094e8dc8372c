package io.trimtab.hub.blocks;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.stream.LongStream;

/**
 * A matrix of whole numbers from -127 to 127 with a scale for each row: {@code q · largest / 127},
 * where {@code largest} is the row's largest magnitude ("LLM.int8()", Dettmers and others, 2022,
 * section 2.1, without its outliers).
 *
 * @param shape [rows, columns]
 * @param codes a byte for each value, row after row
 * @param largest the largest magnitude of each row, single precision, little-endian
 */
@SuppressWarnings("ArrayRecordComponent") // copied on the way in and out; identity does not matter
public record Int8Rows(long[] shape, MemorySegment codes, MemorySegment largest)
    implements PackedTensor {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final float STEPS = 127;

  /**
   * Checks the parts against each other.
   *
   * @throws IllegalArgumentException if there are too few or too many codes or scales
   */
  public Int8Rows {
    shape = shape.clone();
    if (shape.length != 2
        || codes.byteSize() != Math.multiplyExact(shape[0], shape[1])
        || largest.byteSize() != Math.multiplyExact(shape[0], (long) Float.BYTES)) {
      throw new IllegalArgumentException(
          "%d bytes of 8-bit codes and %d bytes of scales do not belong to a matrix of %s"
              .formatted(codes.byteSize(), largest.byteSize(), Arrays.toString(shape)));
    }
  }

  /** A copy of the number of rows and that of columns. */
  @Override
  public long[] shape() {
    return shape.clone();
  }

  @Override
  public String form() {
    return "int8";
  }

  @Override
  public long bytes() {
    return codes.byteSize() + largest.byteSize();
  }

  /** What the codes of a row are multiplied by. */
  public float scale(long row) {
    return largest.get(FLOAT, row * Float.BYTES) / STEPS;
  }

  @Override
  public void dequantize(long firstRow, long rows, MemorySegment out) {
    int columns = Math.toIntExact(shape[1]);
    if (out.byteSize() != rows * columns * Float.BYTES) {
      throw new IllegalArgumentException(
          "%d rows of %d values do not fill %d bytes".formatted(rows, columns, out.byteSize()));
    }
    byte[] packed = new byte[columns];
    float[] values = new float[columns];
    for (long row = 0; row < rows; row++) {
      MemorySegment.copy(
          codes, ValueLayout.JAVA_BYTE, (firstRow + row) * columns, packed, 0, columns);
      float scale = scale(firstRow + row);
      for (int i = 0; i < columns; i++) {
        values[i] = packed[i] * scale;
      }
      MemorySegment.copy(values, 0, out, FLOAT, row * columns * Float.BYTES, columns);
    }
  }

  /**
   * Packs a matrix: its values in half precision, rounded to the nearest step, as bitsandbytes does
   * it. Rows that half precision cannot hold are taken as they are.
   *
   * @param values single precision, little-endian, finite
   * @param shape [rows, columns]
   * @param arena where codes and scales are put; shared, for several threads work
   */
  public static Int8Rows quantize(MemorySegment values, long[] shape, Arena arena) {
    int columns = Math.toIntExact(shape[1]);
    MemorySegment codes = arena.allocate(Math.max(1, shape[0] * columns), 64);
    MemorySegment largest = arena.allocate(Math.max(1, shape[0]) * Float.BYTES, 64);
    LongStream.range(0, shape[0])
        .parallel()
        .forEach(
            row -> {
              float[] plain = new float[columns];
              MemorySegment.copy(values, FLOAT, row * columns * Float.BYTES, plain, 0, columns);
              float most = BlockCodec.largestMagnitude(plain, 0, columns);
              if (Float.isFinite(Float.float16ToFloat(Float.floatToFloat16(most)))) {
                for (int i = 0; i < columns; i++) {
                  plain[i] = Float.float16ToFloat(Float.floatToFloat16(plain[i]));
                }
                most = BlockCodec.largestMagnitude(plain, 0, columns);
              }
              largest.set(FLOAT, row * Float.BYTES, most);
              for (int i = 0; i < columns; i++) {
                int code = most == 0 ? 0 : (int) Math.rint(plain[i] * STEPS / most);
                codes.set(ValueLayout.JAVA_BYTE, row * columns + i, (byte) code);
              }
            });
    return new Int8Rows(
        shape, codes.asSlice(0, shape[0] * columns), largest.asSlice(0, shape[0] * Float.BYTES));
  }
}
