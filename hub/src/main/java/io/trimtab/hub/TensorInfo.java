package io.trimtab.hub;

import io.trimtab.tensor.DType;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/**
 * Name, element type and shape of a stored tensor. Two are equal if name, type and shape are.
 *
 * @param name the name in the file
 * @param dtype the element type
 * @param shape the sizes of the dimensions, outermost first; empty for a scalar
 */
@SuppressWarnings("ArrayRecordComponent") // copied on the way in and out, compared by content
public record TensorInfo(String name, DType dtype, long[] shape) {

  /**
   * Copies the shape and checks that the number of bytes fits into 63 bits.
   *
   * @throws FileFormatException if a dimension is negative, there are more than 64, or the size
   *     overflows
   */
  public TensorInfo {
    Objects.requireNonNull(name, "name");
    shape = shape.clone();
    try {
      byteSize(dtype, shape);
    } catch (FileFormatException e) {
      throw new FileFormatException("tensor '" + name + "': " + e.getMessage());
    }
  }

  /** A copy of the sizes of the dimensions, outermost first. */
  @Override
  public long[] shape() {
    return shape.clone();
  }

  /** The number of elements: the product of the shape, 1 for a scalar. */
  public long elements() {
    return byteSize() / dtype.bytes();
  }

  /** The number of bytes the elements take, without gaps. */
  public long byteSize() {
    return byteSize(dtype, shape);
  }

  /** More dimensions than this are taken for damage, before they can fill the heap. */
  static final int MAX_RANK = 64;

  /** The same as the constructor, but an error names the file too. */
  static TensorInfo in(Path file, String name, DType dtype, List<Long> shape) {
    try {
      return new TensorInfo(name, dtype, shape.stream().mapToLong(Long::longValue).toArray());
    } catch (FileFormatException e) {
      throw new FileFormatException(file, String.valueOf(e.getMessage()), e);
    }
  }

  /**
   * The bytes that elements of this type and shape take; refuses negative and overflowing sizes.
   */
  static long byteSize(DType dtype, long[] shape) {
    if (shape.length > MAX_RANK) {
      throw new FileFormatException("a shape of " + shape.length + " dimensions is not supported");
    }
    long bytes = dtype.bytes();
    try {
      for (long dimension : shape) {
        if (dimension < 0) {
          throw new FileFormatException("shape " + Arrays.toString(shape) + " is negative");
        }
        bytes = Math.multiplyExact(bytes, dimension);
      }
    } catch (ArithmeticException e) {
      throw new FileFormatException(
          "shape " + Arrays.toString(shape) + " of " + dtype + " overflows 63 bits of bytes");
    }
    return bytes;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof TensorInfo(String otherName, DType otherType, long[] otherShape)
        && name.equals(otherName)
        && dtype == otherType
        && Arrays.equals(shape, otherShape);
  }

  @Override
  public int hashCode() {
    return Objects.hash(name, dtype, Arrays.hashCode(shape));
  }

  @Override
  public String toString() {
    return name + " " + dtype + Arrays.toString(shape);
  }
}
