package io.trimtab.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ChangedProductTest {
  private static Tensor random(long seed, DType dtype, long... shape) {
    return Rng.seeded(seed).normal(1, DType.F64, Device.CPU, shape).to(dtype);
  }

  /** Rows above and below the sizes at which other kernels are chosen. */
  @ParameterizedTest
  @CsvSource({
    "F64,5,7,6,2",
    "F64,1,3,4,5",
    "F32,40,24,48,3",
    "F32,300,72,40,8",
    "F32,520,96,96,96"
  })
  void lowRankChangeIsBothProductsAndHasTheirGradients(
      DType dtype, long tokens, long in, long out, long rank) {
    try (Scope _ = Scope.open()) {
      double small = 1 / Math.sqrt((double) in);
      Tensor x = Gradients.variable(random(1, dtype, tokens, in));
      Tensor weight = Arithmetic.multiply(random(2, dtype, out, in), small);
      Tensor down = Gradients.variable(Arithmetic.multiply(random(3, DType.F32, rank, in), small));
      Tensor up = Gradients.variable(random(4, DType.F32, out, rank));
      Tensor bias = random(5, dtype, out);
      Tensor own = ChangedProduct.linear(x, weight, bias, new LowRankChange(down, up, 0.25));
      Tensor inner = LinearAlgebra.linear(x, down.to(dtype), null);
      Tensor plain =
          Arithmetic.addScaled(
              LinearAlgebra.linear(x, weight, bias),
              LinearAlgebra.linear(inner, up.to(dtype), null),
              0.25);
      List<Tensor> found = all(own, x, down, up);
      List<Tensor> expected = all(plain, x, down, up);
      for (int i = 0; i < found.size(); i++) {
        double scale = Reduction.max(Arithmetic.absolute(expected.get(i))).item();
        assertThat(found.get(i).dtype()).isEqualTo(expected.get(i).dtype());
        assertThat(Reduction.largestDifference(found.get(i), expected.get(i)) / scale)
            .as("tensor " + i)
            .isLessThan(2e-6);
      }
    }
  }

  private static List<Tensor> all(Tensor y, Tensor... inputs) {
    List<Tensor> found = new ArrayList<>(List.of(y));
    Tensor above = random(6, y.dtype(), y.shape());
    found.addAll(Gradients.of(List.of(y), List.of(above), List.of(inputs)));
    return found;
  }
}
