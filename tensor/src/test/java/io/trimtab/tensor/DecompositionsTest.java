package io.trimtab.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DecompositionsTest {
  private static Tensor matrix(long rows, long columns) {
    return Rng.seeded(rows * 31 + columns).normal(1, DType.F64, Device.CPU, rows, columns);
  }

  private static Tensor eye(long size) {
    double[] values = new double[(int) (size * size)];
    for (int i = 0; i < size; i++) {
      values[(int) (i * size + i)] = 1;
    }
    return Creation.doubles(values, size, size);
  }

  private static Tensor scaledColumns(Tensor u, Tensor values) {
    return Arithmetic.multiply(u, Indexing.unsqueeze(values, 0));
  }

  @ParameterizedTest
  @CsvSource({"7,4", "4,7", "5,5", "1,3"})
  void theSvdMultipliesBackAndItsVectorsAreOrthonormal(long rows, long columns) {
    try (Scope _ = Scope.open()) {
      Tensor matrix = matrix(rows, columns);
      Decompositions.Svd svd = Decompositions.svd(matrix);
      long k = Math.min(rows, columns);
      assertThat(svd.u().shape()).containsExactly(rows, k);
      assertThat(svd.vt().shape()).containsExactly(k, columns);
      Tensor back = LinearAlgebra.matmul(scaledColumns(svd.u(), svd.values()), svd.vt());
      assertThat(Reduction.largestDifference(back, matrix)).isLessThan(1e-12);
      Tensor gram = LinearAlgebra.matmul(svd.vt(), svd.vt().transpose(0, 1));
      assertThat(Reduction.largestDifference(gram, eye(k))).isLessThan(1e-12);
      double[] values = svd.values().toDoubles();
      for (int i = 1; i < values.length; i++) {
        assertThat(values[i]).isBetween(0.0, values[i - 1]);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"7,4", "4,7", "5,5"})
  void qrMultipliesBackAndIsTriangular(long rows, long columns) {
    try (Scope _ = Scope.open()) {
      Tensor matrix = matrix(rows, columns);
      Decompositions.Qr qr = Decompositions.qr(matrix);
      Tensor back = LinearAlgebra.matmul(qr.q(), qr.r());
      assertThat(Reduction.largestDifference(back, matrix)).isLessThan(1e-12);
      long k = Math.min(rows, columns);
      Tensor gram = LinearAlgebra.matmul(qr.q().transpose(0, 1), qr.q());
      assertThat(Reduction.largestDifference(gram, eye(k))).isLessThan(1e-12);
      double[] r = qr.r().toDoubles();
      for (int i = 1; i < k; i++) {
        for (int j = 0; j < i; j++) {
          assertThat(r[(int) (i * columns + j)]).isZero();
        }
      }
    }
  }

  @Test
  void theLargestValuesAreThoseOfTheWholeDecomposition() {
    try (Scope _ = Scope.open()) {
      Tensor matrix = LinearAlgebra.matmul(matrix(30, 3), matrix(3, 20)); // of rank three
      Decompositions.Svd whole = Decompositions.svd(matrix);
      Decompositions.Svd few = Decompositions.largest(matrix, 3, 2, Rng.seeded(1));
      assertThat(few.values().shape()).containsExactly(3);
      assertThat(Reduction.largestDifference(few.values(), Indexing.slice(whole.values(), 0, 0, 3)))
          .isLessThan(1e-10);
      Tensor back = LinearAlgebra.matmul(scaledColumns(few.u(), few.values()), few.vt());
      assertThat(Reduction.largestDifference(back, matrix)).isLessThan(1e-10);
    }
  }

  @Test
  void whatCannotBeIsRefused() {
    try (Scope _ = Scope.open()) {
      Tensor matrix = matrix(4, 3);
      assertThatThrownBy(() -> Decompositions.largest(matrix, 4, 2, Rng.seeded(1)))
          .isInstanceOf(TensorException.class)
          .hasMessageContaining("rank 4")
          .hasMessageContaining("1 to 3");
      Tensor half = matrix.to(DType.BF16);
      assertThatThrownBy(() -> Decompositions.svd(half)).isInstanceOf(TensorException.class);
    }
  }
}
