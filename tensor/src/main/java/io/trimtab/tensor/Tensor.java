package io.trimtab.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * An immutable view of a tensor in native memory: a shape, an element type, a device. Operators are
 * static methods of {@link Creation}, {@link Arithmetic}, {@link LinearAlgebra}, {@link Neural},
 * {@link Indexing} and {@link Reduction}; gradients are in {@link Gradients}. Its memory is freed
 * by the {@link Scope} it was made in.
 */
public final class Tensor implements AutoCloseable {
  private final org.bytedeco.pytorch.Tensor handle;

  private Tensor(org.bytedeco.pytorch.Tensor handle) {
    this.handle = handle;
  }

  static Tensor of(org.bytedeco.pytorch.Tensor handle) {
    // A reference into another native object (a list, a parameter's gradient) would dangle when
    // that
    // goes; a handle of its own does not. The binding counts references only of what it owns.
    return new Tensor(
        handle.referenceCount() < 0 ? new org.bytedeco.pytorch.Tensor(handle) : handle);
  }

  org.bytedeco.pytorch.Tensor handle() {
    if (handle.isNull()) {
      throw new TensorException(
          "found a tensor whose scope is closed; keep it with Scope.keep before the scope closes");
    }
    return handle;
  }

  /** The size of each dimension; empty for a scalar. */
  public long[] shape() {
    int rank = rank();
    long[] shape = new long[rank];
    for (int i = 0; i < rank; i++) {
      shape[i] = handle.size(i);
    }
    return shape;
  }

  /** The size of one dimension; negative ones count from the end. */
  public long size(int dimension) {
    return Call.get(() -> handle().size(dimension), this);
  }

  /** The number of dimensions. */
  public int rank() {
    return (int) handle().dim();
  }

  /** The number of elements. */
  public long elements() {
    return handle().numel();
  }

  /** The bytes its elements take. */
  public long byteSize() {
    return elements() * dtype().bytes();
  }

  /** The element type. */
  public DType dtype() {
    return Native.dtype(handle().scalar_type());
  }

  /** Where it lives. */
  public Device device() {
    org.bytedeco.pytorch.Tensor h = handle();
    return h.is_cuda() ? new Device(Device.Kind.CUDA, h.device().index()) : Device.CPU;
  }

  /** Whether gradients flow through it. */
  public boolean requiresGradient() {
    return handle().requires_grad();
  }

  /** The same values as another element type; the same tensor where it has that type already. */
  public Tensor to(DType dtype) {
    return dtype == dtype() ? this : Call.of(() -> handle().to(Native.scalarType(dtype)), this);
  }

  /** The same values on another device. */
  public Tensor to(Device device) {
    return device.equals(device())
        ? this
        : Call.of(() -> handle().to(device.handle(), Native.scalarType(dtype())), this);
  }

  /** The same memory under another shape; one size may be -1. Copies only where it must. */
  public Tensor reshape(long... shape) {
    return Call.of(() -> handle().reshape(shape), this);
  }

  /** Two dimensions swapped; a view. */
  public Tensor transpose(int first, int second) {
    return Call.of(() -> handle().transpose(first, second), this);
  }

  /** The same values, stored row after row. */
  public Tensor contiguous() {
    return Call.of(() -> handle().contiguous(), this);
  }

  /** A copy of the values in memory of its own. */
  public Tensor copy() {
    return Scope.of(() -> of(handle().detach().clone()));
  }

  /** The same values, cut off from the gradient's graph. */
  public Tensor detach() {
    return of(handle().detach());
  }

  /** The one element of a tensor with one element. */
  public double item() {
    if (elements() != 1) {
      throw new TensorException(
          "found a tensor of shape "
              + Arrays.toString(shape())
              + ", expected a single element; reduce it first");
    }
    return toDoubles()[0];
  }

  /** All elements as floats, row after row, rounded where they are wider. */
  public float[] toFloats() {
    return read(DType.F32).toArray(ValueLayout.JAVA_FLOAT);
  }

  /** All elements as doubles, row after row. */
  public double[] toDoubles() {
    return read(DType.F64).toArray(ValueLayout.JAVA_DOUBLE);
  }

  /** All elements as longs, row after row; fractions are cut off. */
  public long[] toLongs() {
    return read(DType.I64).toArray(ValueLayout.JAVA_LONG);
  }

  /** The bytes of the elements, row after row, little-endian, in heap memory of their own. */
  public MemorySegment toBytes() {
    return read(dtype());
  }

  private MemorySegment read(DType as) {
    try (Scope _ = Scope.open()) {
      org.bytedeco.pytorch.Tensor plain =
          to(Device.CPU).handle().detach().to(Native.scalarType(as)).contiguous();
      MemorySegment memory = of(plain).memory();
      long bytes = memory.byteSize();
      MemorySegment heap =
          MemorySegment.ofArray(new long[Math.toIntExact((bytes + 7) / 8)]).asSlice(0, bytes);
      return heap.copyFrom(memory);
    }
  }

  /** The elements where they are: of a contiguous tensor on the CPU that is not freed meanwhile. */
  MemorySegment memory() {
    long bytes = byteSize();
    return bytes == 0
        ? MemorySegment.NULL
        : MemorySegment.ofAddress(handle().data_ptr().address()).reinterpret(bytes);
  }

  /**
   * The elements of a tensor on the CPU where they are, of a view from its first to its last one,
   * {@link #stride} apart. For reading, and for writing by whoever made the memory: valid until the
   * tensor is freed, which nothing checks.
   */
  public MemorySegment inPlace() {
    if (!device().equals(Device.CPU)) {
      throw new TensorException("found " + this + ", expected one on the CPU; move it there first");
    }
    long last = elements() == 0 ? -1 : 0;
    for (int i = 0; i < rank() && last >= 0; i++) {
      last += (handle.size(i) - 1) * handle.stride(i);
    }
    return MemorySegment.ofAddress(handle().data_ptr().address())
        .reinterpret((last + 1) * dtype().bytes());
  }

  /** How many elements lie between neighbours along a dimension. */
  public long stride(int dimension) {
    return handle().stride(dimension);
  }

  /** Takes it out of the reach of every scope: it lives until it is closed. Returns it. */
  public Tensor held() {
    handle().retainReference();
    return this;
  }

  /** Frees the memory now instead of at the end of its scope. Does no harm when repeated. */
  @Override
  public void close() {
    handle.deallocate();
  }

  @Override
  public String toString() {
    return handle.isNull()
        ? "Tensor[closed]"
        : "Tensor[" + dtype() + Arrays.toString(shape()) + " on " + device() + "]";
  }
}
