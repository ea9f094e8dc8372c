package io.trimtab.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.function.DoubleUnaryOperator;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Operators that treat each element alone, against plain Java, and their slopes. */
class OperatorsOfOneTensorTest {
  private static final double[] ANY = {-3, -1.25, -0.1, 0.2, 1, 2.75};
  private static final double[] POSITIVE = {0.1, 0.5, 1, 2, 3.5, 9};

  private static Arguments operator(
      String name, UnaryOperator<Tensor> ours, DoubleUnaryOperator java, double[] at) {
    return Arguments.of(name, ours, java, at);
  }

  static Stream<Arguments> operators() {
    double root = Math.sqrt(2 / Math.PI);
    return Stream.of(
        operator("add", x -> Arithmetic.add(x, 2.5), x -> x + 2.5, ANY),
        operator("multiply", x -> Arithmetic.multiply(x, -3), x -> -3 * x, ANY),
        operator("negate", Arithmetic::negate, x -> -x, ANY),
        operator("absolute", Arithmetic::absolute, Math::abs, ANY),
        operator("square", x -> Arithmetic.power(x, 2), x -> x * x, ANY),
        operator("power", x -> Arithmetic.power(x, 1.5), x -> Math.pow(x, 1.5), POSITIVE),
        operator("squareRoot", Arithmetic::squareRoot, Math::sqrt, POSITIVE),
        operator("exponential", Arithmetic::exponential, Math::exp, ANY),
        operator("logarithm", Arithmetic::logarithm, Math::log, POSITIVE),
        operator("cosine", Arithmetic::cosine, Math::cos, ANY),
        operator("sine", Arithmetic::sine, Math::sin, ANY),
        operator("arcTangent", Arithmetic::arcTangent, Math::atan, ANY),
        operator("relu", Neural::relu, x -> Math.max(x, 0), ANY),
        operator("silu", Neural::silu, x -> x / (1 + Math.exp(-x)), ANY),
        operator("tanh", Neural::tanh, Math::tanh, ANY),
        operator("sigmoid", Neural::sigmoid, x -> 1 / (1 + Math.exp(-x)), ANY),
        operator("gelu", Neural::gelu, x -> x * normalDistribution(x), ANY),
        operator(
            "geluTanh",
            Neural::geluTanh,
            x -> 0.5 * x * (1 + Math.tanh(root * (x + 0.044715 * x * x * x))),
            ANY));
  }

  /** Φ(x) by Simpson's rule from 0. */
  private static double normalDistribution(double x) {
    int pieces = 200;
    double width = x / pieces;
    double sum = 0;
    for (int i = 0; i <= pieces; i++) {
      double weight = i == 0 || i == pieces ? 1 : i % 2 == 1 ? 4 : 2;
      sum += weight * Math.exp(-0.5 * (i * width) * (i * width));
    }
    return 0.5 + sum * width / 3 / Math.sqrt(2 * Math.PI);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("operators")
  void equalsPlainJava(
      String name, UnaryOperator<Tensor> ours, DoubleUnaryOperator java, double[] at) {
    try (Scope _ = Scope.open()) {
      double[] found = ours.apply(Creation.doubles(at, 2, 3)).toDoubles();
      assertThat(found).hasSize(at.length);
      for (int i = 0; i < at.length; i++) {
        assertThat(found[i])
            .as("%s(%s)", name, at[i])
            .isCloseTo(java.applyAsDouble(at[i]), within(1e-9));
      }
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("operators")
  void hasTheSlopeOfCentralDifferences(
      String name, UnaryOperator<Tensor> ours, DoubleUnaryOperator java, double[] at) {
    try (Scope _ = Scope.open()) {
      double error =
          FiniteDifferences.largestError(
              in -> Reduction.sum(ours.apply(in.get(0))), List.of(Creation.doubles(at, 6)));
      assertThat(error).as(name).isLessThan(1e-8);
    }
  }
}
