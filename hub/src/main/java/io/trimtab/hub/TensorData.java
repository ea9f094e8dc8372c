package io.trimtab.hub;

import io.trimtab.tensor.DType;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * The elements of a tensor on their way into a file.
 *
 * @param dtype the element type
 * @param shape the sizes of the dimensions, outermost first; empty for a scalar
 * @param bytes the elements in row-major order, little-endian, without gaps; not copied, so it must
 *     stay valid and unchanged until it is written
 */
@SuppressWarnings("ArrayRecordComponent") // copied on the way in and out; identity does not matter
public record TensorData(DType dtype, long[] shape, MemorySegment bytes) {

  /**
   * Checks the bytes against type and shape.
   *
   * @throws FileFormatException if there are too few or too many bytes for the shape
   */
  public TensorData {
    shape = shape.clone();
    long expected = TensorInfo.byteSize(dtype, shape);
    if (bytes.byteSize() != expected) {
      throw new FileFormatException(
          "a tensor of %s%s takes %d bytes, %d were given"
              .formatted(dtype, Arrays.toString(shape), expected, bytes.byteSize()));
    }
  }

  /** A copy of the sizes of the dimensions, outermost first. */
  @Override
  public long[] shape() {
    return shape.clone();
  }
}
