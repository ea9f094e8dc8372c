package io.trimtab.tensor;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.ConcurrentHashMap;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.pytorch.DeviceOptional;
import org.bytedeco.pytorch.PointerConsumer;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/**
 * Native tensors that read Java memory segments in place. A segment stays reachable, and so the
 * file behind it mapped, until the engine has freed the last tensor (or view, or gradient) that
 * uses it.
 */
final class BorrowedMemory {
  private record Use(MemorySegment bytes, int tensors) {}

  private static final ConcurrentHashMap<Long, Use> USES = new ConcurrentHashMap<>();

  /** One callback for all tensors: the binding can register only a handful. */
  private static final Release RELEASE = Native.forever(new Release());

  private BorrowedMemory() {}

  static org.bytedeco.pytorch.Tensor tensor(
      MemorySegment bytes, DType dtype, long[] shape, long[] strides) {
    USES.merge(bytes.address(), new Use(bytes, 1), BorrowedMemory::both);
    try {
      return torch.from_blob(
          Native.address(bytes.address()),
          shape,
          strides,
          RELEASE,
          Native.options(dtype, Device.CPU),
          new DeviceOptional());
    } catch (RuntimeException e) {
      release(bytes.address());
      throw e;
    }
  }

  /** The number of distinct addresses in use, for tests. */
  static int inUse() {
    return USES.size();
  }

  private static Use both(Use old, Use added) {
    MemorySegment longer = old.bytes.byteSize() >= added.bytes.byteSize() ? old.bytes : added.bytes;
    return new Use(longer, old.tensors + added.tensors);
  }

  private static void release(long address) {
    USES.computeIfPresent(address, (_, use) -> oneLess(use));
  }

  private static @Nullable Use oneLess(Use use) {
    return use.tensors == 1 ? null : new Use(use.bytes, use.tensors - 1);
  }

  /** Called by the engine when it frees a tensor over a borrowed address. */
  private static final class Release extends PointerConsumer {
    @Override
    public void call(Pointer data) {
      release(data.address());
    }
  }
}
