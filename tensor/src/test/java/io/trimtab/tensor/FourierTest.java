package io.trimtab.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class FourierTest {
  private static Tensor random(long seed, long... shape) {
    return Rng.seeded(seed).normal(1, DType.F64, Device.CPU, shape);
  }

  @ParameterizedTest
  @CsvSource({"1, 1", "4, 6", "5, 3"})
  void inverseOfAMatrixIsTheSumOfItsCosines(int rows, int columns) {
    try (Scope _ = Scope.open()) {
      Tensor spectrum = random(1, rows, columns);
      double[] s = spectrum.toDoubles();
      double[] found = Fourier.inverseOfMatrix(spectrum).toDoubles();
      for (int i = 0; i < rows; i++) {
        for (int j = 0; j < columns; j++) {
          double sum = 0;
          for (int p = 0; p < rows; p++) {
            for (int q = 0; q < columns; q++) {
              double turns = (double) p * i / rows + (double) q * j / columns;
              sum += s[p * columns + q] * Math.cos(2 * Math.PI * turns);
            }
          }
          assertThat(found[i * columns + j]).isCloseTo(sum / (rows * columns), within(1e-12));
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 5, 8})
  void circulantProductIsTheSumThatItsNameSays(int size) {
    int tokens = 3;
    int in = 2;
    int out = 4;
    try (Scope _ = Scope.open()) {
      Tensor input = random(1, tokens, in, size);
      Tensor kernels = random(2, out, in, size);
      double[] x = input.toDoubles();
      double[] w = kernels.toDoubles();
      double[] found = Fourier.circulantProduct(input, kernels).toDoubles();
      for (int t = 0; t < tokens; t++) {
        for (int o = 0; o < out; o++) {
          for (int k = 0; k < size; k++) {
            double sum = 0;
            for (int i = 0; i < in; i++) {
              for (int j = 0; j < size; j++) {
                sum += x[(t * in + i) * size + (k + j) % size] * w[(o * in + i) * size + j];
              }
            }
            assertThat(found[(t * out + o) * size + k]).isCloseTo(sum, within(1e-12));
          }
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {3, 4})
  void gradientsAreThoseOfCentralDifferences(int size) {
    try (Scope _ = Scope.open()) {
      double product =
          FiniteDifferences.largestError(
              in ->
                  Reduction.sum(
                      Arithmetic.power(Fourier.circulantProduct(in.get(0), in.get(1)), 2)),
              List.of(random(1, 2, 3, size), random(2, 2, 3, size)));
      double inverse =
          FiniteDifferences.largestError(
              in -> Reduction.sum(Arithmetic.power(Fourier.inverseOfMatrix(in.get(0)), 2)),
              List.of(random(3, 3, size)));
      assertThat(product).isLessThan(1e-7);
      assertThat(inverse).isLessThan(1e-7);
    }
  }
}
