package io.trimtab.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/**
 * Makes the engine's threads sleep instead of spin where one waits for another. Spinning is
 * OpenMP's default and gains little on an idle machine, but on one with other work a training step
 * was seen to take ten times as long, since the thread that is waited for does not get the core.
 *
 * <p>OpenMP reads the setting from the process's environment when it is loaded, which a Java
 * process can only change through C. What the user has set stands.
 */
final class WaitPolicy {
  private static final String VARIABLE = "OMP_WAIT_POLICY";
  private static final String VALUE = "PASSIVE";

  private WaitPolicy() {}

  /**
   * Sets the policy; must run before the engine is loaded. Does nothing where there is no setenv.
   */
  static void passive() {
    Linker linker = Linker.nativeLinker();
    Optional<MemorySegment> setenv = linker.defaultLookup().find("setenv");
    if (setenv.isEmpty()) {
      return; // Windows: set the variable by hand
    }
    try (Arena arena = Arena.ofConfined()) {
      FunctionDescriptor type =
          FunctionDescriptor.of(
              ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.JAVA_INT);
      MethodHandle handle = linker.downcallHandle(setenv.get(), type);
      int keepWhatIsSet = 0;
      int _ =
          (int)
              handle.invokeExact(
                  arena.allocateFrom(VARIABLE), arena.allocateFrom(VALUE), keepWhatIsSet);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException("setenv throws nothing of its own", e);
    }
  }
}
