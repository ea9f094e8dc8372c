package io.trimtab.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;

class TrainingPartsTest {
  private static Parameter parameter(float... values) {
    try (Scope _ = Scope.open()) {
      return Parameter.of("p", Creation.floats(values, values.length));
    }
  }

  /** Collects the gradient of Σ (x - 1)⁴ / 4, which is (x - 1)³. */
  private static void collect(Parameter p) {
    try (Scope _ = Scope.open()) {
      Tensor off = Arithmetic.add(p.value(), -1);
      Gradients.backward(Arithmetic.multiply(Reduction.sum(Arithmetic.power(off, 4)), 0.25));
    }
  }

  @Test
  void fiftyStepsEqualAdamWInPlainJava() {
    double[] x = {2, -0.5, 0.25};
    double[] mean = new double[3];
    double[] square = new double[3];
    try (Parameter p = parameter(2, -0.5f, 0.25f);
        FusedAdamW adam = new FusedAdamW(List.of(p), 0.9, 0.99, 1e-8)) {
      for (int step = 1; step <= 50; step++) {
        double rate = 0.02 * step / 50;
        collect(p);
        adam.step(rate, 0.1);
        p.clearGradient();
        for (int i = 0; i < 3; i++) {
          double gradient = Math.pow(x[i] - 1, 3);
          x[i] -= rate * 0.1 * x[i];
          mean[i] = 0.9 * mean[i] + 0.1 * gradient;
          square[i] = 0.99 * square[i] + 0.01 * gradient * gradient;
          double m = mean[i] / (1 - Math.pow(0.9, step));
          double v = square[i] / (1 - Math.pow(0.99, step));
          x[i] -= rate * m / (Math.sqrt(v) + 1e-8);
        }
      }
      assertThat(p.value().toDoubles()).containsExactly(x, within(1e-5));
      assertThat(adam.steps()).isEqualTo(50);
    }
  }

  @Test
  void restoredMomentsGoOnWithTheSameBits() {
    try (Parameter p = parameter(2, -0.5f);
        FusedAdamW adam = new FusedAdamW(List.of(p), 0.9, 0.999, 1e-8)) {
      steps(p, adam, 7);
      try (Parameter q = parameter(p.value().toFloats());
          FusedAdamW resumed = new FusedAdamW(List.of(q), 0.9, 0.999, 1e-8)) {
        for (int i = 0; i < adam.moments().size(); i++) {
          resumed.moments().get(i).assign(adam.moments().get(i).value());
        }
        resumed.resumeAt(adam.steps());
        steps(p, adam, 9);
        steps(q, resumed, 9);
        assertThat(q.value().toFloats()).containsExactly(p.value().toFloats());
        assertThat(resumed.moments())
            .extracting(Parameter::name)
            .containsExactly("p.mean", "p.square");
      }
    }
  }

  private static void steps(Parameter p, FusedAdamW adam, int count) {
    for (int i = 0; i < count; i++) {
      collect(p);
      adam.step(0.01, 0.01);
      p.clearGradient();
    }
  }

  @Test
  void parametersWithoutAGradientAreLeftAlone() {
    try (Parameter p = parameter(3);
        FusedAdamW adam = new FusedAdamW(List.of(p), 0.9, 0.999, 1e-8)) {
      adam.step(0.1, 0.1);
      assertThat(p.value().toFloats()).containsExactly(3);
    }
  }

  @Test
  void gradientsAddUpUntilCleared() {
    try (Scope _ = Scope.open();
        Parameter p = parameter(3)) {
      assertThat(p.gradient()).isNull();
      collect(p);
      collect(p);
      Tensor gradient = p.gradient();
      assertThat(gradient).isNotNull();
      assertThat(gradient.toFloats()).containsExactly(16);
      p.clearGradient();
      assertThat(p.gradient()).isNull();
      assertThat(gradient.toFloats()).containsExactly(16); // what was handed out stays whole
    }
  }

  @Test
  void assignKeepsShapeAndType() {
    try (Scope _ = Scope.open();
        Parameter p = parameter(1, 2)) {
      p.assign(Creation.doubles(new double[] {5, 6}, 2));
      assertThat(p.value().toFloats()).containsExactly(5, 6);
      assertThat(p.value().dtype()).isEqualTo(DType.F32);
      Tensor wrong = Creation.zeros(DType.F32, Device.CPU, 3);
      assertThatThrownBy(() -> p.assign(wrong))
          .isInstanceOf(TensorException.class)
          .hasMessageContaining("parameter p");
      assertThatThrownBy(() -> Parameter.of("n", Creation.range(2, Device.CPU)))
          .isInstanceOf(TensorException.class)
          .hasMessageContaining("floating-point");
    }
  }

  @Test
  void clipScalesTheJointNorm() {
    try (Scope _ = Scope.open();
        Parameter p = parameter(0, 0);
        Parameter q = parameter(0);
        Parameter idle = parameter(1)) {
      Tensor slope = Creation.floats(new float[] {3, 0}, 2);
      Gradients.backward(
          Arithmetic.add(
              Reduction.sum(Arithmetic.multiply(p.value(), slope)),
              Reduction.sum(Arithmetic.multiply(q.value(), 4))));
      List<Parameter> all = List.of(p, q, idle);
      assertThat(Gradients.clip(all, 10)).isCloseTo(5, within(1e-6));
      assertThat(Gradients.clip(all, 1)).isCloseTo(5, within(1e-6));
      assertThat(Gradients.clip(all, 1)).isCloseTo(1, within(1e-5));
      assertThat(Gradients.clip(List.of(idle), 1)).isZero();
    }
  }

  @Test
  void randomSourcesRepeatAndDeriveIndependently() {
    Rng made; // inside a scope that is gone when it draws
    try (Scope _ = Scope.open()) {
      made = Rng.seeded(5);
    }
    try (Scope _ = Scope.open()) {
      double[] first = draw(made);
      assertThat(draw(made)).isNotEqualTo(first);
      assertThat(draw(Rng.seeded(5))).containsExactly(first);
      assertThat(draw(made.derive(1))).containsExactly(draw(Rng.seeded(5).derive(1)));
      assertThat(draw(made.derive(1))).isNotEqualTo(draw(made.derive(2))).isNotEqualTo(first);
      assertThat(draw(Rng.seeded(6))).isNotEqualTo(first);
    }
  }

  private static double[] draw(Rng rng) {
    return rng.uniform(0, 1, DType.F64, Device.CPU, 5).toDoubles();
  }

  /** Drawn in bulk or one at a time they are the same, and so is what comes after them. */
  @Test
  void uniformNumbersInBulkAreThoseDrawnOneByOne() {
    try (Scope _ = Scope.open()) {
      int n = 3 * 4096 + 5;
      Rng bulk = Rng.seeded(7);
      Rng single = Rng.seeded(7);
      float[] drawn = bulk.uniform(-0.1, 0.3, DType.F32, Device.CPU, n).toFloats();
      double[] expected = single.uniform(-0.1, 0.3, DType.F64, Device.CPU, n).toDoubles();
      for (int i = 0; i < n; i++) {
        assertThat(drawn[i]).as("number " + i).isEqualTo((float) expected[i]);
      }
      assertThat(draw(bulk)).containsExactly(draw(single));
      assertThat(Rng.seeded(1).uniform(0, 1, DType.F32, Device.CPU, 4).toFloats())
          .containsExactly(0.3681895f, 0.94356424f, 0.045257f, 0.7774369f);
    }
  }

  @Test
  void randomNumbersHaveTheirMoments() {
    try (Scope _ = Scope.open()) {
      int n = 200_000;
      Rng rng = Rng.seeded(1);
      Tensor uniform = rng.uniform(-2, 4, DType.F32, Device.CPU, n);
      assertThat(Reduction.mean(uniform).item()).isCloseTo(1, within(0.02));
      assertThat(Reduction.max(uniform).item()).isLessThan(4).isGreaterThan(3.99);
      Tensor normal = rng.normal(3, DType.F32, Device.CPU, n);
      assertThat(Reduction.mean(normal).item()).isCloseTo(0, within(0.04));
      assertThat(Reduction.mean(Arithmetic.power(normal, 2)).item()).isCloseTo(9, within(0.15));
      assertThat(Reduction.mean(Arithmetic.power(normal, 4)).item()).isCloseTo(243, within(12.0));
      Tensor coins = rng.bernoulli(0.3, DType.BF16, Device.CPU, n + 1).to(DType.F32);
      assertThat(Reduction.mean(coins).item()).isCloseTo(0.3, within(0.006));
      Tensor dropped = Neural.dropout(Creation.full(1, DType.F32, Device.CPU, n), 0.2, rng);
      assertThat(Reduction.mean(dropped).item()).isCloseTo(1, within(0.01));
      assertThat(Reduction.max(dropped).item()).isCloseTo(1.25, within(1e-6));
      assertThatThrownBy(() -> Neural.dropout(normal, 1, rng)).isInstanceOf(TensorException.class);
    }
  }
}
