package io.trimtab.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DropMaskTest {
  private static final double PROBABILITY = 0.3;

  private static Tensor random(long seed, DType dtype, long... shape) {
    return Rng.seeded(seed).normal(1, DType.F32, Device.CPU, shape).to(dtype);
  }

  /** Sizes that fill no word, some words and some blocks of words of each type. */
  @ParameterizedTest
  @CsvSource({"F32,1,1", "F32,3,5", "F32,64,700", "BF16,1,3", "BF16,7,9", "BF16,90,701", "F16,5,5"})
  void isTheMaskThatIsDrawnElementByElement(DType dtype, long rows, long columns) {
    try (Scope _ = Scope.open()) {
      Tensor x = random(1, dtype, rows, columns);
      Rng own = Rng.seeded(7);
      Rng plain = Rng.seeded(7);
      double kept = 1 - PROBABILITY;
      Tensor mask = plain.mask(kept, 1, DType.F32, Device.CPU, rows, columns).to(dtype);
      Tensor dropped = DropMask.draw(own, kept, rows * columns).of(x, 1);
      assertThat(Reduction.largestDifference(dropped, Arithmetic.multiply(x, mask))).isZero();
      // What is drawn next is the same too.
      assertThat(own.uniform(0, 1, DType.F32, Device.CPU, 3).toFloats())
          .isEqualTo(plain.uniform(0, 1, DType.F32, Device.CPU, 3).toFloats());
    }
  }

  @Test
  void dropoutAndItsGradientHaveTheSameMask() {
    try (Scope _ = Scope.open()) {
      Tensor x = Gradients.variable(Creation.full(1, DType.F32, Device.CPU, 30, 41));
      Tensor y = Neural.dropout(x, PROBABILITY, Rng.seeded(3));
      Tensor ones = Creation.full(1, DType.F32, Device.CPU, 30, 41);
      Tensor gradient = Gradients.of(List.of(y), List.of(ones), List.of(x)).getFirst();
      assertThat(Reduction.largestDifference(y, gradient)).isZero();
      assertThat(Reduction.mean(y).item()).isBetween(0.9, 1.1);
      assertThat(Reduction.max(y).item()).isBetween(1 / 0.7 - 1e-6, 1 / 0.7 + 1e-6);
    }
  }

  @ParameterizedTest
  @CsvSource({"F32,1e-5", "BF16,3e-2", "F64,1e-12"})
  void thinProductOfWhatIsLeftIsThatOfBothOneAfterTheOther(DType dtype, double tolerance) {
    try (Scope _ = Scope.open()) {
      Tensor x = Gradients.variable(random(1, dtype, 50, 33));
      Tensor weight = Gradients.variable(random(2, dtype, 4, 33));
      Rng own = Rng.seeded(5);
      Rng plain = Rng.seeded(5);
      Tensor fused = Neural.dropoutLinear(x, weight, PROBABILITY, own);
      Tensor steps = LinearAlgebra.linear(Neural.dropout(x, PROBABILITY, plain), weight, null);
      Tensor above = random(4, dtype, 50, 4);
      List<Tensor> found = new ArrayList<>(List.of(fused));
      found.addAll(Gradients.of(List.of(fused), List.of(above), List.of(x, weight)));
      List<Tensor> expected = new ArrayList<>(List.of(steps));
      expected.addAll(Gradients.of(List.of(steps), List.of(above), List.of(x, weight)));
      for (int i = 0; i < 3; i++) {
        double scale = Reduction.max(Arithmetic.absolute(expected.get(i))).item();
        assertThat(Reduction.largestDifference(found.get(i), expected.get(i)) / scale)
            .as("tensor " + i)
            .isLessThan(tolerance);
      }
      assertThat(own.uniform(0, 1, DType.F32, Device.CPU, 3).toFloats())
          .isEqualTo(plain.uniform(0, 1, DType.F32, Device.CPU, 3).toFloats());
    }
  }
}
