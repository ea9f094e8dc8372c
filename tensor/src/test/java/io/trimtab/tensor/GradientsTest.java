package io.trimtab.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;

class GradientsTest {
  private static Tensor random(long seed, long... shape) {
    return Rng.seeded(seed).normal(1, DType.F64, Device.CPU, shape);
  }

  @Test
  void operatorsOfATransformerHaveTheGradientsOfCentralDifferences() {
    try (Scope _ = Scope.open()) {
      double error =
          FiniteDifferences.largestError(
              in -> {
                Tensor hidden = LinearAlgebra.linear(in.get(0), in.get(1), in.get(2));
                Tensor normed = Neural.layerNorm(Neural.gelu(hidden), in.get(3), in.get(2), 1e-5);
                return Reduction.sum(Neural.logSoftmax(normed, -1).reshape(-1));
              },
              List.of(random(1, 3, 4), random(2, 5, 4), random(3, 5), random(4, 5)));
      assertThat(error).isLessThan(1e-7);
    }
  }

  @Test
  void customGradientOfAFrozenWeightEqualsTheEngines() {
    try (Scope _ = Scope.open()) {
      Tensor weight = random(5, 6, 4);
      double error =
          FiniteDifferences.largestError(
              in -> {
                Tensor x = in.get(0);
                for (int i = 0; i < 40; i++) { // many hooks in one graph
                  x = frozen(x, LinearAlgebra.matmul(weight.transpose(0, 1), weight));
                  x = Arithmetic.multiply(Neural.tanh(x), 2);
                }
                return Reduction.sum(Arithmetic.power(frozen(x, weight), 2));
              },
              List.of(random(6, 3, 4)));
      assertThat(error).isLessThan(1e-6);
    }
  }

  private static Tensor frozen(Tensor x, Tensor weight) {
    return Gradients.custom(
        x,
        in -> LinearAlgebra.linear(in, weight, null),
        gradient -> LinearAlgebra.matmul(gradient, weight));
  }

  @Test
  void customResultMayHaveAnyShapeAndItsInputAnyOtherUse() {
    try (Scope _ = Scope.open()) {
      double error =
          FiniteDifferences.largestError(
              in -> {
                Tensor x = in.get(0);
                // Every element's square in one long row, out of a matrix that is used twice more.
                Tensor row =
                    Gradients.custom(
                        x,
                        all -> Arithmetic.power(all, 2).reshape(1, 1, 12),
                        gradient -> Arithmetic.multiply(gradient.reshape(3, 4), x.detach()));
                Tensor twice = Arithmetic.multiply(Reduction.sum(Neural.tanh(row)), 2);
                return Arithmetic.add(
                    twice, Reduction.sum(Arithmetic.multiply(x, frozen(x, eye()))));
              },
              List.of(random(7, 3, 4)));
      // The hand-written gradient is that of half the square, so that the test can fail.
      assertThat(error).isGreaterThan(1e-2);
      double right =
          FiniteDifferences.largestError(
              in -> {
                Tensor x = in.get(0);
                Tensor row =
                    Gradients.custom(
                        x,
                        all -> Arithmetic.power(all, 2).reshape(1, 1, 12),
                        gradient ->
                            Arithmetic.multiply(
                                Arithmetic.multiply(gradient.reshape(3, 4), x.detach()), 2));
                return Arithmetic.add(
                    Reduction.sum(Neural.tanh(row)),
                    Reduction.sum(Arithmetic.multiply(x, frozen(x, eye()))));
              },
              List.of(random(7, 3, 4)));
      assertThat(right).isLessThan(1e-7);
    }
  }

  private static Tensor eye() {
    return Creation.doubles(new double[] {1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1}, 4, 4);
  }

  /** a · tanh(b) + Σ c, with c of another shape, and nothing that a scope frees too early. */
  private static Tensor mixed(Tensor a, Tensor b, Tensor c) {
    return Scope.of(
        () ->
            Gradients.custom(
                List.of(a, b, c),
                () -> {
                  Tensor open = Neural.tanh(b);
                  Tensor y = Arithmetic.add(Arithmetic.multiply(a, open), Reduction.sum(c));
                  return new Gradients.Computed(y, List.of(a, open));
                },
                (g, kept) -> {
                  Tensor open = kept.get(1);
                  Tensor slope = Arithmetic.add(Arithmetic.negate(Arithmetic.power(open, 2)), 1);
                  return List.of(
                      Arithmetic.multiply(g, open),
                      Arithmetic.multiply(Arithmetic.multiply(g, kept.get(0)), slope),
                      Indexing.expand(Reduction.sum(g), c.shape()));
                }));
  }

  @Test
  void customGradientReachesEachOfSeveralInputs() {
    try (Scope _ = Scope.open()) {
      double error =
          FiniteDifferences.largestError(
              in -> {
                Tensor a = Neural.tanh(in.get(0));
                Tensor y = a;
                for (int i = 0; i < 5; i++) { // the same tensors are inputs many times
                  y = Arithmetic.add(mixed(y, in.get(1), in.get(2)), mixed(a, a, in.get(2)));
                  y = Neural.tanh(Arithmetic.multiply(y, 0.1));
                }
                return Reduction.sum(Arithmetic.power(y, 2));
              },
              List.of(random(21, 3, 4), random(22, 3, 4), random(23, 5)));
      assertThat(error).isLessThan(1e-7);
    }
  }

  @Test
  void inputsThatNeedNoGradientMayStandBetweenOthers() {
    try (Scope _ = Scope.open()) {
      Tensor fixed = random(24, 2, 3);
      for (int free = 0; free < 3; free++) {
        int chosen = free;
        double error =
            FiniteDifferences.largestError(
                in -> {
                  Tensor x = in.getFirst();
                  Tensor y =
                      mixed(
                          chosen == 0 ? fixed : x,
                          chosen == 1 ? fixed : x,
                          chosen == 2 ? fixed : x);
                  Tensor alone =
                      mixed(
                          chosen == 0 ? x : fixed,
                          chosen == 1 ? x : fixed,
                          chosen == 2 ? x : fixed);
                  return Reduction.sum(Arithmetic.power(Arithmetic.add(y, alone), 2));
                },
                List.of(random(25, 2, 3)));
        assertThat(error).isLessThan(1e-7);
      }
      assertThat(mixed(fixed, fixed, fixed).requiresGradient()).isFalse();
    }
  }

  @Test
  void aGradientMayBeWhatWasKept() {
    try (Scope _ = Scope.open()) {
      Tensor x = Gradients.variable(random(28, 2, 3));
      Tensor sum =
          Gradients.custom(
              List.of(x),
              () -> new Gradients.Computed(Reduction.sum(x), List.of(Arithmetic.multiply(x, 3))),
              (_, kept) -> kept);
      Tensor one = Creation.full(1, DType.F64, Device.CPU);
      Tensor gradient = Gradients.of(List.of(sum), List.of(one), List.of(x)).getFirst();
      assertThat(gradient.toDoubles()).isEqualTo(Arithmetic.multiply(x.detach(), 3).toDoubles());
    }
  }

  @Test
  void customGradientsNeedNotAllBeAskedFor() {
    try (Scope _ = Scope.open()) {
      Tensor a = Gradients.variable(random(26, 2, 3));
      Tensor b = Gradients.variable(random(27, 2, 3));
      Tensor sum = Reduction.sum(mixed(a, b, b));
      Tensor one = Creation.full(1, DType.F64, Device.CPU);
      List<Tensor> gradient = Gradients.of(List.of(sum), List.of(one), List.of(a));
      assertThat(gradient.getFirst().toDoubles()).isEqualTo(Neural.tanh(b.detach()).toDoubles());
      Tensor _ = mixed(a, b, b); // and this one has no backward pass at all
    }
  }

  @Test
  void customInputKeepsItsValuesAndItsGraph() {
    try (Scope _ = Scope.open()) {
      Tensor x = Gradients.variable(random(8, 2, 3));
      Tensor hidden = Neural.tanh(x);
      double[] before = hidden.toDoubles();
      Tensor y = frozen(hidden, random(9, 5, 3));
      assertThat(hidden.toDoubles()).isEqualTo(before);
      assertThat(hidden.shape()).containsExactly(2, 3);
      assertThat(y.shape()).containsExactly(2, 5);
      assertThat(y.requiresGradient()).isTrue();
      assertThat(Gradients.none(() -> frozen(hidden, random(9, 5, 3))).requiresGradient())
          .isFalse();
    }
  }

  @Test
  void fusedAdamWTakesTheStepOfTheTextbook() {
    try (Scope _ = Scope.open();
        Parameter p = Parameter.of("p", Creation.floats(new float[] {1f, -2f}, 2));
        FusedAdamW adam = new FusedAdamW(List.of(p), 0.9, 0.999, 1e-8)) {
      Gradients.backward(Reduction.sum(Arithmetic.power(p.value(), 2)));
      adam.step(0.1, 0.01);
      // The first step of Adam is rate · sign(gradient); decay takes rate · decay of the value.
      assertThat(p.value().toFloats()[0]).isCloseTo(1 - 0.001f - 0.1f, within(1e-5f));
      assertThat(p.value().toFloats()[1]).isCloseTo(-2 + 0.002f + 0.1f, within(1e-5f));
      p.clearGradient();
      assertThat(p.gradient()).isNull();
    }
  }
}
