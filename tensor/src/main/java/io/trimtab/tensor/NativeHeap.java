package io.trimtab.tensor;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/**
 * The C library's heap, in which native tensors of the CPU lie. Tensors whose sizes change from
 * batch to batch leave gaps that no later one fits, and GNU's library keeps them: some hundred
 * steps over texts of many lengths come to several times the memory that is in use at any time.
 */
public final class NativeHeap {
  private static final Linker LINKER = Linker.nativeLinker();

  private NativeHeap() {}

  /** GNU's function, which others lack: those give memory back of their own accord. */
  private static final class Found {
    static final Optional<MethodHandle> TRIM =
        LINKER
            .defaultLookup()
            .find("malloc_trim")
            .map(
                address ->
                    LINKER.downcallHandle(
                        address,
                        FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG)));
  }

  /** Gives pages that hold nothing back to the system; does nothing where there is no need. */
  public static void trim() {
    Found.TRIM.ifPresent(NativeHeap::trim);
  }

  private static void trim(MethodHandle function) {
    try {
      int _ = (int) function.invokeExact(0L);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException("C functions throw nothing of their own", e);
    }
  }
}
