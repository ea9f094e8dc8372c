package io.trimtab.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.function.BinaryOperator;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class OperatorGradientsTest {
  private static Tensor random(long seed, long... shape) {
    return Rng.seeded(seed).normal(1, DType.F64, Device.CPU, shape);
  }

  /** A function whose result is weighted unevenly, so that no slope cancels another. */
  private static Arguments of(
      String name, Function<List<Tensor>, Tensor> function, long[]... shapes) {
    return Arguments.of(name, function, shapes);
  }

  private static Arguments binary(String name, BinaryOperator<Tensor> operator) {
    return of(name, in -> operator.apply(in.get(0), in.get(1)), s(2, 3), s(3));
  }

  private static long[] s(long... shape) {
    return shape;
  }

  private static Tensor indices(long... values) {
    return Creation.longs(values, values.length);
  }

  static Stream<Arguments> functions() {
    return Stream.of(
        binary("add", Arithmetic::add),
        binary("addScaled", (a, b) -> Arithmetic.addScaled(a, b, 0.3)),
        binary("subtract", Arithmetic::subtract),
        binary("multiply", Arithmetic::multiply),
        binary("divide", (a, b) -> Arithmetic.divide(a, Arithmetic.exponential(b))),
        binary("where", (a, b) -> Arithmetic.where(Arithmetic.less(a, b), a, b)),
        of("matmul", in -> LinearAlgebra.matmul(in.get(0), in.get(1)), s(2, 2, 3), s(3, 2)),
        of(
            "linear",
            in -> LinearAlgebra.linear(in.get(0), in.get(1), in.get(2)),
            s(2, 3),
            s(4, 3),
            s(4)),
        of(
            "addProduct",
            in -> LinearAlgebra.addProduct(in.get(0), in.get(1), in.get(2)),
            s(2, 2),
            s(2, 1),
            s(1, 2)),
        of(
            "attention",
            in -> Neural.attention(in.get(0), in.get(1), in.get(2), null, 0.7),
            s(1, 2, 3, 4),
            s(1, 2, 5, 4),
            s(1, 2, 5, 4)),
        of(
            "attention with a mask",
            in -> Neural.attention(in.get(0), in.get(1), in.get(2), in.get(3), 0.7),
            s(1, 1, 2, 3),
            s(1, 1, 4, 3),
            s(1, 1, 4, 3),
            s(1, 1, 2, 4)),
        of(
            "layerNorm",
            in -> Neural.layerNorm(in.get(0), in.get(1), in.get(2), 1e-5),
            s(3, 4),
            s(4),
            s(4)),
        of("softmax", in -> Neural.softmax(in.get(0), 1), s(2, 4)),
        of("logSoftmax", in -> Neural.logSoftmax(in.get(0), 1), s(2, 4)),
        of("crossEntropy", in -> Neural.crossEntropy(in.get(0), indices(2, 0, 2)), s(3, 4)),
        of("dropout", in -> Neural.dropout(in.get(0), 0.4, Rng.seeded(9)), s(4, 4)),
        of("rows with repeats", in -> Indexing.rows(in.get(0), indices(1, 0, 1, 1)), s(3, 2)),
        of("select", in -> Indexing.select(in.get(0), 1, indices(1, 1, 0)), s(2, 3)),
        of(
            "gather",
            in -> Indexing.gather(in.get(0), 1, Creation.longs(new long[] {2, 2, 0, 1}, 2, 2)),
            s(2, 3)),
        of("slice", in -> Indexing.slice(in.get(0), 0, 1, 2), s(3, 2)),
        of("at", in -> Indexing.at(in.get(0), 0, 1), s(3, 2)),
        of("concat", in -> Indexing.concat(in, 0), s(1, 2), s(3, 2)),
        of("stack", in -> Indexing.stack(in, 0), s(2), s(2)),
        of("expand", in -> Indexing.expand(in.get(0), 3, 2), s(1, 2)),
        of("permute", in -> Indexing.permute(in.get(0), 1, 0), s(3, 2)),
        of(
            "addRows",
            in -> Indexing.addRows(in.get(0), indices(2, 2), in.get(1)),
            s(3, 2),
            s(2, 2)),
        of("mean", in -> Reduction.mean(in.get(0), 1, true), s(2, 3)),
        of("sum", in -> Reduction.sum(in.get(0), 0), s(2, 3)),
        of("norm", in -> Reduction.norm(in.get(0)), s(2, 3)),
        of("top", in -> Reduction.top(in.get(0), 2).values(), s(2, 4)));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("functions")
  void equalsCentralDifferences(
      String name, Function<List<Tensor>, Tensor> function, long[][] shapes) {
    try (Scope _ = Scope.open()) {
      List<Tensor> inputs =
          Stream.iterate(0, i -> i < shapes.length, i -> i + 1)
              .map(i -> random(100 + i, shapes[i]))
              .toList();
      double error =
          FiniteDifferences.largestError(
              in -> {
                Tensor result = function.apply(in);
                return Reduction.sum(Arithmetic.multiply(result, random(7, result.shape())));
              },
              inputs);
      assertThat(error).as(name).isLessThan(1e-7);
    }
  }

  @Test
  void aWrongGradientIsFound() {
    try (Scope _ = Scope.open()) {
      double error =
          FiniteDifferences.largestError(
              in ->
                  Reduction.sum(
                      Gradients.custom(
                          in.get(0),
                          x -> Arithmetic.multiply(x, 2),
                          gradient -> Arithmetic.multiply(gradient, 2.01))),
              List.of(random(1, 2, 2)));
      assertThat(error).isGreaterThan(1e-3);
    }
  }

  @Test
  void gradientOfAnInputThatDoesNotMatterIsZero() {
    try (Scope _ = Scope.open()) {
      Tensor used = Gradients.variable(random(1, 2));
      Tensor unused = Gradients.variable(random(2, 3));
      List<Tensor> found =
          Gradients.of(
              List.of(Reduction.sum(used)),
              List.of(Creation.scalar(1, DType.F64, Device.CPU)),
              List.of(used, unused));
      assertThat(found.get(0).toDoubles()).containsExactly(1, 1);
      assertThat(found.get(1).toDoubles()).containsExactly(0, 0, 0);
    }
  }

  @Test
  void noneBuildsNoGraphAndEndsWithItsWork() {
    try (Scope _ = Scope.open()) {
      Tensor x = Gradients.variable(random(1, 2));
      assertThat(Gradients.none(() -> Arithmetic.negate(x)).requiresGradient()).isFalse();
      assertThatThrownBy(
              () ->
                  Gradients.none(
                      () -> {
                        throw new IllegalStateException("inside");
                      }))
          .hasMessage("inside");
      assertThat(Arithmetic.negate(x).requiresGradient()).isTrue();
      assertThat(x.detach().requiresGradient()).isFalse();
    }
  }

  @Test
  void backwardOfWhatNeedsNoGradientIsRefused() {
    try (Scope _ = Scope.open()) {
      Tensor plain = Reduction.sum(random(1, 2));
      assertThatThrownBy(() -> Gradients.backward(plain))
          .isInstanceOf(TensorException.class)
          .hasMessageContaining("Gradients.backward of F64[]");
    }
  }
}
