package io.trimtab.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class HouseholderTest {
  private static Tensor numbers(long rows, long columns) {
    return Rng.seeded(1).normal(1, DType.F64, Device.CPU, rows, columns);
  }

  @Test
  void columnsAreOrthonormal() {
    try (Scope _ = Scope.open()) {
      Tensor columns = Householder.columns(numbers(7, 3));
      double[] products = LinearAlgebra.matmul(columns.transpose(0, 1), columns).toDoubles();
      assertThat(products)
          .usingComparatorWithPrecision(1e-12)
          .containsExactly(1, 0, 0, 0, 1, 0, 0, 0, 1);
    }
  }

  @Test
  void oneReflectionTakesTheFirstAxisToItsMirrorImage() {
    try (Scope _ = Scope.open()) {
      // v = (1, 2, 2): e - 2 v / 9.
      double[] column =
          Householder.columns(Creation.doubles(new double[] {5, 2, 2}, 3, 1)).toDoubles();
      assertThat(column)
          .usingComparatorWithPrecision(1e-12)
          .containsExactly(7 / 9.0, -4 / 9.0, -4 / 9.0);
    }
  }

  @Test
  void gradientsAreThoseOfFiniteDifferences() {
    try (Scope _ = Scope.open()) {
      Tensor weights = numbers(5, 2);
      double error =
          FiniteDifferences.largestError(
              inputs ->
                  Reduction.sum(Arithmetic.multiply(Householder.columns(inputs.get(0)), weights)),
              List.of(numbers(5, 2)));
      assertThat(error).isLessThan(1e-7);
    }
  }

  @Test
  void wideMatricesAreRefused() {
    try (Scope _ = Scope.open()) {
      Tensor wide = numbers(2, 3);
      assertThatThrownBy(() -> Householder.columns(wide))
          .isInstanceOf(TensorException.class)
          .hasMessageContaining("[n, k]");
    }
  }
}
