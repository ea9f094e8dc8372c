package io.trimtab.tensor;

import java.lang.foreign.MemorySegment;
import org.bytedeco.pytorch.DeviceOptional;
import org.bytedeco.pytorch.global.torch;

/**
 * A native tensor that reads a Java memory segment in place. The handle refers to the segment, so
 * the segment, and the file it may map, stay there for as long as somebody holds the tensor.
 */
final class BorrowedMemory extends org.bytedeco.pytorch.Tensor {
  private final MemorySegment bytes;

  private BorrowedMemory(org.bytedeco.pytorch.Tensor tensor, MemorySegment bytes) {
    super(tensor);
    this.bytes = bytes;
  }

  static org.bytedeco.pytorch.Tensor tensor(
      MemorySegment bytes, DType dtype, long[] shape) {
    return new BorrowedMemory(
        torch.from_blob(
            Native.address(bytes.address()),
            shape,
            Native.options(dtype, Device.CPU)),
        bytes);
  }

  /** The segment in use, for tests. */
  MemorySegment bytes() {
    return bytes;
  }
}
