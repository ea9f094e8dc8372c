package io.trimtab.hub.blocks;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Locale;

/**
 * A tensor as it is packed in its file.
 *
 * @param format how the values are packed
 * @param shape the sizes of the dimensions, outermost first; the last one is a whole number of
 *     blocks
 * @param blocks the packed rows one after the other; valid as long as the file they come from is
 *     open
 */
@SuppressWarnings("ArrayRecordComponent") // copied on the way in and out; identity does not matter
public record QuantizedTensor(BlockFormat format, long[] shape, MemorySegment blocks)
    implements PackedTensor {

  /**
   * Checks the bytes against format and shape.
   *
   * @throws IllegalArgumentException if there are too few or too many bytes
   */
  public QuantizedTensor {
    shape = shape.clone();
    long expected = format.bytes(Arrays.stream(shape).reduce(1, Math::multiplyExact));
    if (blocks.byteSize() != expected) {
      throw new IllegalArgumentException(
          "a tensor of %s%s takes %d bytes, %d were given"
              .formatted(format, Arrays.toString(shape), expected, blocks.byteSize()));
    }
  }

  /** A copy of the sizes of the dimensions, outermost first. */
  @Override
  public long[] shape() {
    return shape.clone();
  }

  /** The number of values. */
  public long elements() {
    return blocks.byteSize() / format.bytesPerBlock() * format.blockSize();
  }

  @Override
  public String form() {
    return format.name().toLowerCase(Locale.ROOT);
  }

  @Override
  public long bytes() {
    return blocks.byteSize();
  }

  @Override
  public void dequantize(long firstRow, long rows, MemorySegment out) {
    long row = shape[0] == 0 ? 0 : blocks.byteSize() / shape[0];
    format.dequantize(blocks.asSlice(firstRow * row, rows * row), out);
  }
}
