package io.trimtab.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What is set reaches both sets of threads, the engine's own and those of its products. */
class EngineThreadsTest {
  private final int before = Engine.threads();

  @AfterEach
  void putBack() {
    Engine.setThreads(before);
  }

  @Test
  void reachesEveryLibrary() {
    for (int threads : new int[] {1, 2, 1}) {
      Engine.setThreads(threads);
      assertThat(Engine.threads()).isEqualTo(threads);
      assertThat(OpenBlas.threads()).isNotEmpty().containsOnly(threads);
    }
    assertThatThrownBy(() -> Engine.setThreads(0)).isInstanceOf(TensorException.class);
  }

  /** By the time of processors, which other work on the machine has no part in. */
  @Test
  void aProductOnOneThreadIsComputedByTheCaller() {
    assumeThat(Runtime.getRuntime().availableProcessors()).isGreaterThan(1);
    Engine.setThreads(2);
    double both = othersPart();
    Engine.setThreads(1);
    double alone = othersPart();
    assertThat(alone).as("of two threads it was %.2f", both).isLessThan(0.5 * both);
    assertThat(both).isGreaterThan(0.6);
  }

  /** The time of other threads than this one, in parts of this one's, during products. */
  private static double othersPart() {
    try (Scope _ = Scope.open()) {
      Tensor square = Rng.seeded(1).normal(1, DType.F32, Device.CPU, 768, 768);
      OperatingSystemMXBean system =
          (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
      LinearAlgebra.matmul(square, square);
      long all = system.getProcessCpuTime();
      long own = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
      for (int i = 0; i < 10; i++) {
        LinearAlgebra.matmul(square, square).close();
      }
      own = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() - own;
      all = system.getProcessCpuTime() - all;
      return (double) (all - own) / own;
    }
  }
}
