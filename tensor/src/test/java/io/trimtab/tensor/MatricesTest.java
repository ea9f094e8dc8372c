package io.trimtab.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class MatricesTest {
  private static Tensor random(long seed, long... shape) {
    return Rng.seeded(seed).normal(1, DType.F64, Device.CPU, shape);
  }

  @Test
  void systemsAreSolvedFromBothSides() {
    try (Scope _ = Scope.open()) {
      Tensor a = random(1, 2, 4, 4);
      Tensor right = random(2, 2, 4, 3);
      Tensor left = random(3, 2, 3, 4);
      Tensor x = Matrices.solve(a, right);
      Tensor y = Matrices.solveFromRight(a, left);
      assertThat(Reduction.largestDifference(LinearAlgebra.matmul(a, x), right)).isLessThan(1e-12);
      assertThat(Reduction.largestDifference(LinearAlgebra.matmul(y, a), left)).isLessThan(1e-12);
      Tensor one = LinearAlgebra.matmul(Matrices.inverse(a), a);
      Tensor identity = Indexing.expand(Matrices.identity(4, DType.F64, Device.CPU), 2, 4, 4);
      assertThat(Reduction.largestDifference(one, identity)).isLessThan(1e-12);
    }
  }

  @Test
  void whatHasNoInverseIsRefused() {
    try (Scope _ = Scope.open()) {
      Tensor zeros = Creation.zeros(DType.F32, Device.CPU, 3, 3);
      assertThatThrownBy(() -> Matrices.inverse(zeros))
          .isInstanceOf(TensorException.class)
          .hasMessageContaining("Matrices.inverse");
    }
  }

  @Test
  void skewSymmetricMatricesAreFilledRowAfterRow() {
    try (Scope _ = Scope.open()) {
      Tensor upper = Creation.floats(new float[] {1, 2, 3, 4, 5, 6}, 2, 3);
      assertThat(Matrices.skewSymmetric(upper, 3).toFloats())
          .containsExactly(0, 1, 2, -1, 0, 3, -2, -3, 0, 0, 4, 5, -4, 0, 6, -5, -6, 0);
      assertThat(Matrices.skewSymmetric(Creation.zeros(DType.F32, Device.CPU, 2, 0), 1).shape())
          .containsExactly(2, 1, 1);
      assertThatThrownBy(() -> Matrices.skewSymmetric(upper, 4))
          .isInstanceOf(TensorException.class)
          .hasMessageContaining("expected 6 numbers a matrix");
    }
  }

  @Test
  void entriesAreAddedInACopyAndAddUp() {
    try (Scope _ = Scope.open()) {
      Tensor matrix = Creation.floats(new float[] {1, 2, 3, 4, 5, 6}, 2, 3);
      Tensor rows = Creation.longs(new long[] {0, 1, 1}, 3);
      Tensor columns = Creation.longs(new long[] {2, 0, 0}, 3);
      Tensor values = Creation.floats(new float[] {10, 20, 30}, 3);
      assertThat(Matrices.addEntries(matrix, rows, columns, values).toFloats())
          .containsExactly(1, 2, 13, 54, 5, 6);
      assertThat(matrix.toFloats()).containsExactly(1, 2, 3, 4, 5, 6);
      Tensor outside = Creation.longs(new long[] {0, 1, 3}, 3);
      assertThatThrownBy(() -> Matrices.addEntries(matrix, rows, outside, values))
          .isInstanceOf(TensorException.class);
    }
  }

  @Test
  void gradientsAreThoseOfCentralDifferences() {
    Tensor rows = Creation.longs(new long[] {0, 2}, 2);
    Tensor columns = Creation.longs(new long[] {1, 1}, 2);
    try (Scope _ = Scope.open()) {
      double error =
          FiniteDifferences.largestError(
              in -> {
                Tensor skew = Matrices.skewSymmetric(in.get(0), 3);
                Tensor one = Matrices.identity(3, DType.F64, Device.CPU);
                Tensor turned =
                    Matrices.solveFromRight(
                        Arithmetic.add(one, skew), Arithmetic.subtract(one, skew));
                Tensor changed =
                    Matrices.addEntries(turned.reshape(3, 3), rows, columns, in.get(1));
                Tensor solved = Matrices.solve(changed, Matrices.aboveDiagonal(changed));
                return Reduction.sum(
                    Arithmetic.power(Arithmetic.add(Matrices.inverse(changed), solved), 2));
              },
              List.of(random(1, 1, 3), random(2, 2)));
      assertThat(error).isLessThan(1e-6);
    }
  }
}
