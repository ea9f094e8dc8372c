package io.trimtab.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

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
}
