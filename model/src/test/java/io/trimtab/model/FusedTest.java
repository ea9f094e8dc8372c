package io.trimtab.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Gradients;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Neural;
import io.trimtab.tensor.Reduction;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Fused passes and their gradients against the engine's operators in double precision. */
class FusedTest {
  private static final long ROWS = 200;
  private static final long COLUMNS = 370;

  @BeforeEach
  void vectors() {
    assumeThat(Kernels.available()).as("needs --add-modules jdk.incubator.vector").isTrue();
  }

  private static Tensor random(long seed, DType dtype, long... shape) {
    return Rng.seeded(seed).normal(1, DType.F32, Device.CPU, shape).to(dtype);
  }

  /**
   * Compares results and all gradients.
   *
   * @param fused and {@code engine} compute the same, the latter of F64
   */
  private static void assertAlike(
      DType dtype,
      List<Tensor> inputs,
      Function<List<Tensor>, Tensor> fused,
      Function<List<Tensor>, Tensor> engine) {
    List<Tensor> found = results(inputs, fused);
    List<Tensor> expected =
        results(inputs.stream().map(input -> input.to(DType.F64)).toList(), engine);
    double bound = dtype == DType.F32 ? 1e-6 : 1.0 / 128;
    for (int i = 0; i < found.size(); i++) {
      assertThat(found.get(i).dtype()).isEqualTo(i == 0 ? found.get(0).dtype() : dtype);
      double error = norm(Arithmetic.subtract(found.get(i).to(DType.F64), expected.get(i)));
      assertThat(error / norm(expected.get(i))).as("result %d", i).isLessThan(bound);
    }
  }

  private static double norm(Tensor tensor) {
    return Math.sqrt(Reduction.sum(Arithmetic.power(tensor, 2)).item());
  }

  private static List<Tensor> results(
      List<Tensor> inputs, Function<List<Tensor>, Tensor> function) {
    List<Tensor> variables = inputs.stream().map(Gradients::variable).toList();
    Tensor y = Scope.of(() -> function.apply(variables));
    assertThat(y.requiresGradient()).isTrue();
    List<Tensor> all = new ArrayList<>(List.of(y.detach()));
    Tensor g = random(99, DType.F32, y.shape()).to(y.dtype());
    all.addAll(Gradients.of(List.of(y), List.of(g), variables));
    return all;
  }

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"F32", "BF16"})
  void rootMeanSquareNorm(DType dtype) {
    try (Scope _ = Scope.open()) {
      Tensor weight = random(1, dtype, COLUMNS);
      assertAlike(
          dtype,
          List.of(random(2, dtype, ROWS, COLUMNS)),
          in -> Fused.rmsNorm(in.getFirst(), weight, 1e-5),
          in -> Neural.rmsNorm(in.getFirst(), weight.to(DType.F64), 1e-5));
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Activation.class,
      names = {"SILU", "GELU_TANH", "RELU"})
  void gates(Activation activation) {
    assertThat(Fused.knows(activation)).isTrue();
    for (DType dtype : List.of(DType.F32, DType.BF16)) {
      try (Scope _ = Scope.open()) {
        assertAlike(
            dtype,
            List.of(random(3, dtype, ROWS, COLUMNS), random(4, dtype, ROWS, COLUMNS)),
            in -> Fused.gate(activation, in.get(0), in.get(1)),
            in -> Arithmetic.multiply(activation.apply(in.get(0)), in.get(1)));
      }
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"F32", "BF16"})
  void rotation(DType dtype) {
    try (Scope _ = Scope.open()) {
      Tensor angles = random(5, DType.F32, ROWS, 1, 15);
      Tensor cosine = Arithmetic.cosine(angles).to(dtype);
      Tensor sine = Arithmetic.sine(angles).to(dtype);
      Rotary.Angles wide = new Rotary.Angles(cosine.to(DType.F64), sine.to(DType.F64));
      assertAlike(
          dtype,
          List.of(random(6, dtype, ROWS, COLUMNS)),
          in -> Fused.rotate(in.getFirst(), 10, cosine, sine),
          in -> wide.rotate(in.getFirst(), 10));
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"F32", "BF16"})
  void causalAttention(DType dtype) {
    try (Scope _ = Scope.open()) {
      Attention.Form form = new Attention.Form(6, 2, 0.2, true, 0, 0);
      List<Tensor> inputs =
          List.of(
              random(7, dtype, 1, 6, 200, 16),
              random(8, dtype, 1, 2, 200, 16),
              random(9, dtype, 1, 2, 200, 16));
      Function<List<Tensor>, Tensor> attention =
          in -> new AttentionKernel(form, in.get(0)).causal(in.get(1), in.get(2));
      assertAlike(dtype, inputs, attention, attention);
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"F32", "BF16"})
  void crossEntropy(DType dtype) {
    try (Scope _ = Scope.open()) {
      long[] classes = new long[(int) ROWS];
      Arrays.setAll(classes, i -> i * 7L % COLUMNS);
      // The gradient takes the place of the logits, which are computed for that alone.
      assertAlike(
          dtype,
          List.of(random(10, dtype, ROWS, COLUMNS)),
          in -> Fused.crossEntropy(Arithmetic.multiply(in.getFirst(), 2), classes),
          in ->
              Neural.crossEntropy(
                  Arithmetic.multiply(in.getFirst(), 2), Creation.longs(classes, classes.length)));
    }
  }

  @Test
  void whatIsSmallOrStridedOrFixedIsLeftToTheEngine() {
    try (Scope _ = Scope.open()) {
      Tensor large = Gradients.variable(random(11, DType.F32, ROWS, COLUMNS));
      assertThat(Fused.fits(large)).isTrue();
      assertThat(Fused.fits(large.detach())).isFalse();
      assertThat(Fused.fits(large.detach(), large)).isTrue();
      assertThat(Fused.fits(large.transpose(0, 1))).isFalse();
      assertThat(Fused.fits(large, large.transpose(0, 1))).isFalse();
      assertThat(Fused.fits(large, large.to(DType.BF16))).isFalse();
      assertThat(Fused.fits(large.to(DType.F64))).isFalse();
      assertThat(Fused.fits(Indexing.slice(large, 0, 0, 10))).isFalse();
    }
  }
}
