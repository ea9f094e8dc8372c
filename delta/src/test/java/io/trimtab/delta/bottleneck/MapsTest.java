package io.trimtab.delta.bottleneck;

import static org.assertj.core.api.Assertions.assertThat;

import io.trimtab.delta.Gate;
import io.trimtab.model.Layout;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Reduction;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.util.Objects;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** The maps of adapters against what the papers write. */
class MapsTest {
  private static final Offset<Double> NEAR = Offset.offset(1e-5);

  private static Projection make(Maps maps, long in, long out) {
    Rng rng = Rng.seeded(3);
    Projection made =
        new ProjectionMaker(maps, Start.BERT, Device.CPU, rng).make("p.adapter", false, in, out);
    made.parameters()
        .forEach(p -> p.assign(rng.normal(1, DType.F32, Device.CPU, p.value().shape())));
    return made;
  }

  private static Maps.Phm phm(int dim, int rank, boolean factorisedRule) {
    return new Maps.Phm(
        dim, rank, false, factorisedRule, true, false, true, false, 0.01, Maps.Draw.NORMAL);
  }

  private static double[] value(Projection map, String name) {
    Parameter found =
        map.parameters().stream()
            .filter(parameter -> parameter.name().equals("p.adapter.down." + name))
            .findFirst()
            .orElse(null);
    return Objects.requireNonNull(found, name).value().detach().to(DType.F64).toDoubles();
  }

  /** The first is factorised, the second is too small for that to pay, the third has full rank. */
  @ParameterizedTest
  @CsvSource({"2, 1, 16, 12", "4, 2, 8, 4", "2, 0, 6, 4", "1, 1, 5, 3"})
  void kroneckerSumsAreTheSumsOfThePaper(int n, int rank, int in, int out) {
    try (Scope _ = Scope.open()) {
      Projection map = make(phm(n, rank, false), in, out);
      double[] a = value(map, "rule");
      int p = in / n;
      int q = out / n;
      double[] h = new double[in * out];
      for (int i = 0; i < n; i++) {
        for (int row = 0; row < in; row++) {
          for (int column = 0; column < out; column++) {
            double w = weight(map, rank, i, row % p, column % q, p, q);
            h[row * out + column] += a[(i * n + row / p) * n + column / q] * w;
          }
        }
      }
      Tensor x = Rng.seeded(5).normal(1, DType.F32, Device.CPU, 3, in);
      double[] inputs = x.to(DType.F64).toDoubles();
      double[] bias = value(map, "bias");
      double[] found = map.forward(x).to(DType.F64).toDoubles();
      for (int token = 0; token < 3; token++) {
        for (int column = 0; column < out; column++) {
          double expected = bias[column];
          for (int row = 0; row < in; row++) {
            expected += inputs[token * in + row] * h[row * out + column];
          }
          assertThat(found[token * out + column]).isCloseTo(expected, Offset.offset(1e-4));
        }
      }
    }
  }

  private static double weight(Projection map, int rank, int i, int row, int column, int p, int q) {
    if (rank == 0) {
      return value(map, "whole")[(i * p + row) * q + column];
    }
    double[] left = value(map, "left");
    double[] right = value(map, "right");
    double sum = 0;
    for (int k = 0; k < rank; k++) {
      sum += left[(i * p + row) * rank + k] * right[(i * rank + k) * q + column];
    }
    return sum;
  }

  /** OpenDelta multiplies the factors element by element, which fits for rank 1 alone. */
  @ParameterizedTest
  @CsvSource({"1", "3"})
  void lowRankMapsAreProductsOfTheirFactors(int rank) {
    try (Scope _ = Scope.open()) {
      Projection map = make(new Maps.LowRank(rank, Maps.Draw.GLOROT_UNIFORM), 4, 5);
      double[] left = value(map, "left");
      double[] right = value(map, "right");
      double[] bias = value(map, "bias");
      double[] found =
          map.forward(Creation.floats(new float[] {1, 2, 3, 4}, 1, 4)).to(DType.F64).toDoubles();
      for (int column = 0; column < 5; column++) {
        double expected = bias[column];
        for (int row = 0; row < 4; row++) {
          for (int k = 0; k < rank; k++) {
            expected += (row + 1) * left[row * rank + k] * right[k * 5 + column];
          }
        }
        assertThat(found[column]).isCloseTo(expected, NEAR);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Invertible.Kind.class)
  void couplingsCanBeUndone(Invertible.Kind kind) {
    try (Scope _ = Scope.open()) {
      Rng rng = Rng.seeded(1);
      for (long size : new long[] {8, 9}) {
        Coupling coupling =
            new Coupling(
                new Invertible(kind, 2, true),
                "invertible",
                size,
                new NonLinearity("relu"),
                Start.BERT,
                Device.CPU,
                rng);
        coupling
            .parameters()
            .forEach(p -> p.assign(rng.normal(0.5, DType.F32, Device.CPU, p.value().shape())));
        Tensor x = rng.normal(1, DType.F32, Device.CPU, 6, size);
        Tensor y = coupling.forward(x);
        assertThat(Reduction.largestDifference(x, y)).isGreaterThan(0.1);
        assertThat(Reduction.largestDifference(x, coupling.inverse(y))).isLessThan(1e-4);
      }
    }
  }

  @Test
  void truncatedStartsStayWithinTwoDeviations() {
    try (Scope _ = Scope.open()) {
      float[] drawn = Start.HOULSBY.dense(false, 100, 100, Device.CPU, Rng.seeded(1)).toFloats();
      double squares = 0;
      for (float one : drawn) {
        assertThat(Math.abs(one)).isLessThanOrEqualTo(0.0200001f);
        squares += (double) one * one;
      }
      // The deviation of a normal cut at two of its own is 0.88 of it.
      assertThat(Math.sqrt(squares / drawn.length)).isBetween(0.0086, 0.009);
    }
  }

  @Test
  void gatesAreMeansOverEachRow() {
    try (Scope _ = Scope.open();
        Parameter weight = Parameter.of("w", Creation.floats(new float[] {1, 0, 0, 1}, 2, 2));
        Parameter bias = Parameter.of("b", Creation.floats(new float[] {0, 1}, 2))) {
      Gate gate = new Gate(weight, bias);
      Tensor x = Creation.floats(new float[] {0, 0, 1, -1, 2, 3}, 3, 2);
      Layout layout = Layout.ofLengths(2, 1);
      double first = (sigmoid(0) + sigmoid(1)) / 2;
      double second = (sigmoid(1) + sigmoid(0)) / 2;
      float[] rows = gate.perRow(x, layout).toFloats();
      assertThat(rows)
          .containsExactly(
              new float[] {(float) first, (float) second, (float) sigmoid(2), (float) sigmoid(4)},
              Offset.offset(1e-6f));
      assertThat(gate.perToken(x, layout).toFloats())
          .containsExactly(rows[0], rows[1], rows[0], rows[1], rows[2], rows[3]);
    }
  }

  private static double sigmoid(double x) {
    return 1 / (1 + Math.exp(-x));
  }

  @ParameterizedTest
  @CsvSource({
    "relu, 0, 7",
    "relu2, 0, 49",
    "relu6, 0, 6",
    "leakyrelu, -0.02, 7",
    "swish, -0.238406, 6.993623",
    "sigmoid, 0.119203, 0.999089",
    "tanh, -0.964028, 0.999998",
    "gelu, -0.0455, 7",
    "gelu_new, -0.045402, 7",
    "quick_gelu, -0.06434, 6.999953",
    "linear, -2, 7"
  })
  void nonLinearitiesAreWhatTheyAreCalled(String name, double ofMinusTwo, double ofSeven) {
    try (Scope _ = Scope.open()) {
      double[] found =
          new NonLinearity(name).apply(Creation.doubles(new double[] {-2, 7}, 2)).toDoubles();
      assertThat(found[0]).isCloseTo(ofMinusTwo, NEAR);
      assertThat(found[1]).isCloseTo(ofSeven, NEAR);
    }
  }
}
