package io.trimtab.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class NativeHeapTest {
  private static final long PIECE = 64 << 10;

  /** Pieces below the size that is mapped by itself, every 64th of which stays. */
  @Test
  void gapsBetweenTensorsGoBackToTheSystem() {
    assumeThat(Engine.residentMemory()).as("a system that tells").isPositive();
    List<Tensor> kept = new ArrayList<>();
    try (Scope _ = Scope.open()) {
      List<Tensor> pieces = new ArrayList<>();
      for (int i = 0; i < 4000; i++) {
        pieces.add(Creation.zeros(DType.U8, Device.CPU, PIECE).held());
      }
      for (int i = 0; i < pieces.size(); i++) {
        if (i % 64 == 63) {
          kept.add(pieces.get(i));
        } else {
          pieces.get(i).close();
        }
      }
    }
    long before = Engine.residentMemory();
    NativeHeap.trim();
    long after = Engine.residentMemory();
    kept.forEach(Tensor::close);
    assertThat(before - after).as("bytes given back").isGreaterThan(2000 * PIECE);
  }
}
