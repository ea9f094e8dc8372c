package io.trimtab.tensor;

import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.global.torch;

/** Makes tensors: from Java values, from memory, filled, counted, random. */
public final class Creation {
  private Creation() {}

  /** Zeros of the given shape. */
  public static Tensor zeros(DType dtype, Device device, long... shape) {
    return Call.of(() -> torch.zeros(shape, Native.options(dtype, device)));
  }

  /** Every element {@code value}. */
  public static Tensor full(double value, DType dtype, Device device, long... shape) {
    return Call.of(() -> torch.full(shape, new Scalar(value), Native.options(dtype, device)));
  }

  /** 0, 1, … {@code count} - 1 as I64. */
  public static Tensor range(long count, Device device) {
    return Call.of(() -> torch.arange(new Scalar(count), Native.options(DType.I64, device)));
  }

  /** F32 values on the CPU. */
  public static Tensor floats(float[] values, long... shape) {
    return copyOf(MemorySegment.ofArray(values), DType.F32, shape);
  }

  /** F64 values on the CPU. */
  public static Tensor doubles(double[] values, long... shape) {
    return copyOf(MemorySegment.ofArray(values), DType.F64, shape);
  }

  /** I64 values on the CPU. */
  public static Tensor longs(long[] values, long... shape) {
    return copyOf(MemorySegment.ofArray(values), DType.I64, shape);
  }

  /** A scalar. */
  public static Tensor scalar(double value, DType dtype, Device device) {
    return full(value, dtype, device);
  }

  /** A tensor on the CPU with a copy of {@code bytes} (little-endian, row after row). */
  public static Tensor copyOf(MemorySegment bytes, DType dtype, long... shape) {
    checkSize(bytes, dtype, shape);
    Tensor tensor = empty(dtype, shape);
    tensor.memory().copyFrom(bytes);
    return tensor;
  }

  /**
   * A tensor on the CPU whose elements {@code writing} writes, row after row, little-endian, to the
   * memory that it is given; what is there before is arbitrary. The memory is valid, for any
   * thread, until it returns.
   */
  public static Tensor written(DType dtype, Consumer<MemorySegment> writing, long... shape) {
    Tensor tensor = empty(dtype, shape);
    writing.accept(tensor.memory());
    return tensor;
  }

  /** Room on the CPU whose contents are yet to be written, by {@link Tensor#inPlace}. */
  public static Tensor empty(DType dtype, long... shape) {
    return Call.of(() -> torch.empty(shape, Native.options(dtype, Device.CPU), Native.SAME_FORMAT));
  }

  /**
   * A tensor on the CPU that reads {@code bytes} in place, without a copy; the segment, and so the
   * file it may map, stays reachable for as long as any tensor uses the memory. The segment's arena
   * must not be closed by hand: map files in {@code Arena.ofAuto()}. Nobody may write to it.
   */
  public static Tensor borrow(MemorySegment bytes, DType dtype, long... shape) {
    checkSize(bytes, dtype, shape);
    if (bytes.byteSize() == 0 || bytes.address() % dtype.bytes() != 0 || !bytes.isNative()) {
      return copyOf(bytes, dtype, shape); // the engine wants aligned elements outside the Java heap
    }
    long[] strides = new long[shape.length];
    long stride = 1;
    for (int i = shape.length - 1; i >= 0; i--) {
      strides[i] = stride;
      stride *= Math.max(1, shape[i]);
    }
    return Call.of(() -> BorrowedMemory.tensor(bytes, dtype, shape, strides));
  }

  private static void checkSize(MemorySegment bytes, DType dtype, long... shape) {
    long elements = 1;
    for (long size : shape) {
      elements = Math.multiplyExact(elements, size);
    }
    if (elements * dtype.bytes() != bytes.byteSize()) {
      throw new TensorException(
          "found "
              + bytes.byteSize()
              + " bytes for a "
              + dtype
              + " tensor of shape "
              + java.util.Arrays.toString(shape)
              + ", expected "
              + elements * dtype.bytes()
              + "; pass exactly the tensor's bytes");
    }
  }
}
