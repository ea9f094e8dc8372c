package io.trimtab.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Operators of several tensors or whole dimensions against values worked out by hand. */
class OperatorsOfManyTensorsTest {
  private static Tensor d(String values, long... shape) {
    return Creation.doubles(
        Stream.of(values.split(" ")).mapToDouble(Double::parseDouble).toArray(), shape);
  }

  private static Tensor l(long... values) {
    return Creation.longs(values, values.length);
  }

  private static Arguments gives(
      String name, Supplier<Tensor> ours, String expected, long... shape) {
    return Arguments.of(name, ours, expected, shape);
  }

  static Stream<Arguments> arithmetic() {
    return Stream.of(
        gives("add", () -> Arithmetic.add(d("1 2", 2), d("10 20", 2)), "11 22", 2),
        gives(
            "broadcast", () -> Arithmetic.add(d("1 2", 2, 1), d("10 20", 2)), "11 21 12 22", 2, 2),
        gives("addScaled", () -> Arithmetic.addScaled(d("1 2", 2), d("3 4", 2), -2), "-5 -6", 2),
        gives("subtract", () -> Arithmetic.subtract(d("1 2", 2), d("3 5", 2)), "-2 -3", 2),
        gives("multiply", () -> Arithmetic.multiply(d("1 2", 2), d("3 5", 2)), "3 10", 2),
        gives("divide", () -> Arithmetic.divide(d("1 9", 2), d("4 3", 2)), "0.25 3", 2),
        gives("equal", () -> Arithmetic.equal(l(1, 2, 3), l(1, 0, 3)), "1 0 1", 3),
        gives("less", () -> Arithmetic.less(l(1, 2, 3), l(2, 2, 4)), "1 0 1", 3),
        gives(
            "where",
            () -> Arithmetic.where(Arithmetic.less(l(1, 5), l(3, 3)), d("1 2", 2), d("7 8", 2)),
            "1 8",
            2),
        gives(
            "fillWhere",
            () -> Arithmetic.fillWhere(d("1 2", 2), Arithmetic.less(l(1, 5), l(3, 3)), -9),
            "-9 2",
            2),
        gives(
            "matmul",
            () -> LinearAlgebra.matmul(d("1 2 3 4", 2, 2), d("5 6 7 8", 2, 2)),
            "19 22 43 50",
            2,
            2),
        gives(
            "batched matmul",
            () -> LinearAlgebra.matmul(d("1 2 3 4", 2, 1, 2), d("1 1 2 2", 2, 2, 1)),
            "3 14",
            2,
            1,
            1),
        gives(
            "linear",
            () -> LinearAlgebra.linear(d("1 2", 1, 2), d("1 0 0 1 1 1", 3, 2), d("10 20 30", 3)),
            "11 22 33",
            1,
            3),
        gives(
            "linear without bias",
            () -> LinearAlgebra.linear(d("1 2", 2), d("1 0 0 1 1 1", 3, 2), null),
            "1 2 3",
            3),
        gives(
            "addProduct",
            () -> LinearAlgebra.addProduct(d("1 2", 2), d("1 1", 2, 1), d("3 4", 1, 2)),
            "4 6 4 6",
            2,
            2));
  }

  static Stream<Arguments> indexing() {
    Supplier<Tensor> six = () -> d("0 1 2 3 4 5", 2, 3);
    return Stream.of(
        gives("slice", () -> Indexing.slice(six.get(), 1, 1, 2), "1 2 4 5", 2, 2),
        gives("at", () -> Indexing.at(six.get(), 0, 1), "3 4 5", 3),
        gives("at from the end", () -> Indexing.at(six.get(), -1, -1), "2 5", 2),
        gives("select", () -> Indexing.select(six.get(), 1, l(2, 0, 2)), "2 0 2 5 3 5", 2, 3),
        gives("rows", () -> Indexing.rows(six.get(), l(1, 1)), "3 4 5 3 4 5", 2, 3),
        gives(
            "gather",
            () -> Indexing.gather(six.get(), 1, Creation.longs(new long[] {2, 0}, 2, 1)),
            "2 3",
            2,
            1),
        gives("concat", () -> Indexing.concat(List.of(d("1", 1), d("2 3", 2)), 0), "1 2 3", 3),
        gives("concat of one", () -> Indexing.concat(List.of(d("1", 1)), 0), "1", 1),
        gives("stack", () -> Indexing.stack(List.of(d("1 2", 2), d("3 4", 2)), 1), "1 3 2 4", 2, 2),
        gives("unsqueeze", () -> Indexing.unsqueeze(d("1 2", 2), 1), "1 2", 2, 1),
        gives("expand", () -> Indexing.expand(d("1 2", 2, 1), 2, 2), "1 1 2 2", 2, 2),
        gives("permute", () -> Indexing.permute(six.get(), 1, 0), "0 3 1 4 2 5", 3, 2),
        gives("transpose", () -> six.get().transpose(0, 1).contiguous(), "0 3 1 4 2 5", 3, 2),
        gives("reshape", () -> six.get().reshape(3, -1), "0 1 2 3 4 5", 3, 2),
        gives(
            "addRows",
            () -> Indexing.addRows(six.get(), l(1, 1), d("1 1 1 2 2 2", 2, 3)),
            "0 1 2 6 7 8",
            2,
            3));
  }

  static Stream<Arguments> reductions() {
    Supplier<Tensor> six = () -> d("4 1 2 -3 5 0", 2, 3);
    return Stream.of(
        gives("sum", () -> Reduction.sum(six.get()), "9"),
        gives("sum of a dimension", () -> Reduction.sum(six.get(), 0), "1 6 2", 3),
        gives("mean", () -> Reduction.mean(six.get()), "1.5"),
        gives(
            "mean, kept",
            () -> Reduction.mean(six.get(), 1, true),
            "2.333333333 0.666666667",
            2,
            1),
        gives("mean, not kept", () -> Reduction.mean(six.get(), 0, false), "0.5 3 1", 3),
        gives("max", () -> Reduction.max(six.get()), "5"),
        gives("argMax", () -> Reduction.argMax(six.get(), 1), "0 1", 2),
        gives("top values", () -> Reduction.top(six.get(), 2).values(), "4 2 5 0", 2, 2),
        gives("top indices", () -> Reduction.top(six.get(), 2).indices(), "0 2 1 2", 2, 2),
        gives("norm", () -> Reduction.norm(d("3 -4", 2)), "5"));
  }

  static Stream<Arguments> neural() {
    return Stream.of(
        // Mean 2, variance 2/3: (1 - 2) / √(2/3) = -1.2247…
        gives(
            "layerNorm",
            () -> Neural.layerNorm(d("1 2 3", 1, 3), d("1 2 1", 3), d("0 5 1", 3), 0),
            "-1.224744871 5 2.224744871",
            1,
            3),
        gives(
            "layerNorm without bias",
            () -> Neural.layerNorm(d("1 3", 1, 2), d("1 2", 2), null, 0),
            "-1 2",
            1,
            2),
        gives(
            "softmax",
            () -> Neural.softmax(d("0 0.6931471806", 2), 0),
            "0.333333333 0.666666667",
            2),
        gives(
            "logSoftmax",
            () -> Neural.logSoftmax(d("0 0.6931471806", 2), -1),
            "-1.098612289 -0.405465108",
            2),
        gives(
            "crossEntropy", // (ln 3 + ln 1.5) / 2
            () ->
                Neural.crossEntropy(
                    d("0 0.6931471806 0 0.6931471806", 2, 2), Creation.longs(new long[] {0, 1}, 2)),
            "0.752038698"),
        // Scores 0 and ln 2, so weights 1/3 and 2/3 of values 3 and 6.
        gives(
            "attention",
            () ->
                Neural.attention(
                    d("1", 1, 1, 1, 1),
                    d("0 1.386294361", 1, 1, 2, 1),
                    d("3 6", 1, 1, 2, 1),
                    null,
                    0.5),
            "5",
            1,
            1,
            1,
            1),
        gives(
            "attention with a mask",
            () ->
                Neural.attention(
                    d("1", 1, 1, 1, 1),
                    d("0 1.386294361", 1, 1, 2, 1),
                    d("3 6", 1, 1, 2, 1),
                    d("0 -Infinity", 1, 1, 1, 2),
                    0.5),
            "3",
            1,
            1,
            1,
            1),
        gives("no dropout", () -> Neural.dropout(d("1 2", 2), 0, Rng.seeded(1)), "1 2", 2));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource({"arithmetic", "indexing", "reductions", "neural"})
  void givesTheValuesOfHand(String name, Supplier<Tensor> ours, String expected, long[] shape) {
    try (Scope _ = Scope.open()) {
      Tensor found = ours.get();
      assertThat(found.shape()).as(name).isEqualTo(shape);
      assertThat(found.toDoubles())
          .containsExactly(
              Stream.of(expected.split(" ")).mapToDouble(Double::parseDouble).toArray(),
              within(1e-8));
    }
  }
}
