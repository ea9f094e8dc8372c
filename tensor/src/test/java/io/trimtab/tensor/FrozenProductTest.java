package io.trimtab.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class FrozenProductTest {
  /** Below and above the sizes at which other kernels are chosen; some fill no block of theirs. */
  private static final int[][] SIZES = {
    {1, 3, 7},
    {255, 40, 24},
    {256, 40, 24},
    {301, 129, 65},
    {257, 9, 2050},
    {1, 400, 330},
    {2, 400, 330},
    {13, 400, 330},
    {17, 65, 2050}
  };

  private interface Product {
    Tensor of(Tensor input, Tensor weight, Tensor bias);
  }

  private static Tensor random(long seed, DType dtype, long... shape) {
    return Rng.seeded(seed).normal(1, DType.F32, Device.CPU, shape).to(dtype);
  }

  /** tanh(x Wᵀ + b), and the gradients to x and b. */
  private static List<Tensor> all(Product product, DType dtype, boolean biasTrained, int... size) {
    double small = 1 / Math.sqrt(size[2]);
    Tensor x = Gradients.variable(random(1, dtype, size[0], size[2]));
    Tensor weight = Arithmetic.multiply(random(2, dtype, size[1], size[2]), small);
    Tensor bias = random(3, dtype, size[1]);
    Tensor b = biasTrained ? Gradients.variable(bias) : bias;
    Tensor y = Neural.tanh(product.of(x, weight, b));
    List<Tensor> found = new ArrayList<>(List.of(y));
    List<Tensor> above = List.of(random(4, dtype, size[0], size[1]));
    found.addAll(Gradients.of(List.of(y), above, biasTrained ? List.of(x, b) : List.of(x)));
    return found;
  }

  @ParameterizedTest
  @EnumSource(names = {"F64", "F32", "BF16"})
  void isThePlainProductAndHasItsGradients(DType dtype) {
    for (int[] size : SIZES) {
      for (boolean biasTrained : new boolean[] {false, true}) {
        try (Scope _ = Scope.open()) {
          List<Tensor> own = all(FrozenProduct::linear, dtype, biasTrained, size);
          List<Tensor> plain = all(LinearAlgebra::linear, dtype, biasTrained, size);
          for (int i = 0; i < own.size(); i++) {
            assertThat(Reduction.largestDifference(own.get(i), plain.get(i)))
                .as(size[0] + " rows, tensor " + i)
                .isLessThan(dtype == DType.F32 ? 1e-4 : 1e-12);
          }
        }
      }
    }
  }

  @Test
  void otherLibrarysProductTakesTransposedViewsAndMoreDimensions() {
    assumeTrue(Engine.hasOneDnn());
    try (Scope _ = Scope.open()) {
      Tensor x = random(1, DType.F32, 2, 37, 64);
      Tensor weight = random(2, DType.F32, 64, 96);
      Tensor own = FrozenProduct.oneDnn(x, weight.transpose(0, 1), null);
      Tensor plain = LinearAlgebra.matmul(x, weight);
      assertThat(own.shape()).containsExactly(2, 37, 96);
      assertThat(Reduction.largestDifference(own, plain)).isLessThan(1e-4);
    }
  }

  /** Without a graph the same kernels are chosen. */
  @Test
  void nothingNeedsAGradient() {
    for (int[] size : SIZES) {
      try (Scope _ = Scope.open()) {
        Tensor x = random(1, DType.F32, size[0], size[2]);
        Tensor weight = Arithmetic.multiply(random(2, DType.F32, size[1], size[2]), 0.03);
        Tensor bias = random(3, DType.F32, size[1]);
        Tensor own = FrozenProduct.linear(x, weight, bias);
        Tensor trained = FrozenProduct.linear(Gradients.variable(x), weight, bias);
        assertThat(own.requiresGradient()).isFalse();
        assertThat(own.toDoubles()).isEqualTo(trained.toDoubles());
        Tensor plain = LinearAlgebra.linear(x, weight, bias);
        assertThat(Reduction.largestDifference(own, plain)).isLessThan(1e-4);
      }
    }
  }

  @Test
  void inputsOfAnotherSizeAreRefusedInOneLine() {
    try (Scope _ = Scope.open()) {
      Tensor x = Gradients.variable(random(2, DType.F32, 300, 5));
      assertThatThrownBy(() -> FrozenProduct.linear(x, random(1, DType.F32, 4, 3), null))
          .isInstanceOf(TensorException.class)
          .message()
          .doesNotContain("\n");
    }
  }

  @Test
  void threadsGetTheSameBits() throws Exception {
    try (var threads = Executors.newFixedThreadPool(4)) {
      List<Future<double[]>> results = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        results.add(
            threads.submit(
                () -> {
                  try (Scope _ = Scope.open()) {
                    List<Tensor> found = all(FrozenProduct::linear, DType.F32, false, 301, 129, 65);
                    return found.get(1).toDoubles();
                  }
                }));
      }
      for (Future<double[]> result : results) {
        assertThat(result.get()).isEqualTo(results.getFirst().get());
      }
    }
  }
}
