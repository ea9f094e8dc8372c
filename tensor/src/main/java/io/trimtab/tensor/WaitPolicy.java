package io.trimtab.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/**
 * Makes the engine's threads sleep, after a few microseconds, instead of spin where one waits for
 * another. Long spinning gains nothing on an idle machine; on one with other work a training step
 * was seen to take ten times as long, since the thread that is waited for does not get the core.
 * And there are two sets of threads, OpenMP's and OpenBLAS's, each of which would spin while the
 * other works: a fifth of a training step's time. Not to spin at all costs a seventh, for waking
 * takes long too.
 *
 * <p>Both read their settings from the process's environment when they are loaded, which a Java
 * process can only change through C. What the user has set stands.
 */
final class WaitPolicy {
  /** Rounds of OpenMP's waiting loop, some tens of nanoseconds each, before a thread sleeps. */
  private static final String SPINS = "1000";

  /** OpenBLAS's threads sleep after 2 to this power clock cycles; 26 if nothing is said. */
  private static final String CYCLES = "16";

  private static final int KEEP_WHAT_IS_SET = 0;

  private WaitPolicy() {}

  /** Sets both; must run before the engine is loaded. Does nothing where there is no setenv. */
  static void passive() {
    Linker linker = Linker.nativeLinker();
    Optional<MemorySegment> setenv = linker.defaultLookup().find("setenv");
    if (setenv.isPresent()) { // not on Windows: set the variables by hand there
      FunctionDescriptor type =
          FunctionDescriptor.of(
              ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.JAVA_INT);
      MethodHandle handle = linker.downcallHandle(setenv.get(), type);
      if (System.getenv("OMP_WAIT_POLICY") == null) {
        set(handle, "OMP_WAIT_POLICY", "PASSIVE");
        set(handle, "GOMP_SPINCOUNT", SPINS);
      }
      set(handle, "OPENBLAS_THREAD_TIMEOUT", CYCLES);
    }
  }

  private static void set(MethodHandle setenv, String variable, String value) {
    try (Arena arena = Arena.ofConfined()) {
      int _ =
          (int)
              setenv.invokeExact(
                  arena.allocateFrom(variable), arena.allocateFrom(value), KEEP_WHAT_IS_SET);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException("setenv throws nothing of its own", e);
    }
  }
}
