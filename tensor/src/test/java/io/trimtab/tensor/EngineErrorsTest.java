package io.trimtab.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class EngineErrorsTest {
  private static Tensor zeros(long... shape) {
    return Creation.zeros(DType.F32, Device.CPU, shape);
  }

  private static Arguments refused(Supplier<?> work, String found) {
    return Arguments.of(found, work);
  }

  static Stream<Arguments> mistakes() {
    return Stream.of(
        refused(
            () -> LinearAlgebra.matmul(zeros(2, 3), zeros(4, 5)),
            "found LinearAlgebra.matmul of F32[2, 3] on cpu and F32[4, 5] on cpu, expected"),
        refused(() -> Arithmetic.add(zeros(2), zeros(3)), "found Arithmetic.add of F32[2] on cpu"),
        refused(() -> zeros(2, 3).reshape(7), "found Tensor.reshape of F32[2, 3]"),
        refused(() -> zeros(2).size(3), "found Tensor.size of F32[2]"),
        refused(() -> Indexing.slice(zeros(2), 0, 1, 5), "found Indexing.slice of F32[2]"),
        refused(() -> Indexing.at(zeros(2), 0, 2), "found Indexing.at of F32[2]"),
        refused(
            () -> Indexing.rows(zeros(2, 2), Creation.longs(new long[] {2}, 1)),
            "found Indexing.rows of F32[2, 2] on cpu and I64[1] on cpu"),
        refused(
            () -> Indexing.concat(List.of(zeros(2, 2), zeros(3)), 0),
            "found Indexing.concat of F32[2, 2] on cpu and F32[3] on cpu"),
        refused(() -> Reduction.top(zeros(2), 3), "found Reduction.top of F32[2]"),
        refused(
            () -> Neural.crossEntropy(zeros(1, 2), Creation.longs(new long[] {5}, 1)),
            "found Neural.crossEntropy of F32[1, 2]"),
        refused(() -> zeros(2).item(), "found a tensor of shape [2]"),
        refused(
            () -> Reduction.largestDifference(zeros(2), zeros(3)), "found Tensor[F32[2] on cpu]"),
        refused(() -> Creation.floats(new float[3], 2), "found 12 bytes"),
        refused(() -> zeros(-1), "found Creation.zeros"),
        refused(
            () -> Gradients.variable(Creation.range(2, Device.CPU)),
            "found Gradients.variable of I64[2]"),
        refused(
            () -> Operators.call("aten::_int_mm", "", zeros(2, 2), zeros(2, 2)),
            "found aten::_int_mm of F32[2, 2]"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("mistakes")
  void isATypedOneLineMessageThatNamesOperatorAndShapes(String found, Supplier<?> work) {
    try (Scope _ = Scope.open()) {
      assertThatThrownBy(work::get)
          .isInstanceOf(TensorException.class)
          .hasMessageStartingWith(found)
          .satisfies(
              e -> assertThat(e.getMessage()).doesNotContain("\n", "frame #").contains("expected"));
    }
  }

  @Test
  void whatAHandWrittenGradientThrowsComesOutAsItIs() {
    try (Scope _ = Scope.open()) {
      TensorException mine = new TensorException("found mine, expected yours; take it");
      Tensor y =
          Gradients.custom(
              Gradients.variable(zeros(2, 2)),
              x -> x,
              _ -> {
                throw mine;
              });
      assertThatThrownBy(() -> Gradients.backward(Reduction.sum(y))).isSameAs(mine);
    }
  }

  @Test
  void boxedOperatorsMultiplyWholeNumbers() {
    try (Scope _ = Scope.open()) {
      Tensor x = Creation.floats(new float[] {1, 2, 3, 4}, 2, 2);
      Tensor weight = Creation.longs(new long[] {1, -2, 3, 4, 5, 6}, 3, 2).to(DType.I8);
      Tensor scales = Creation.floats(new float[] {1, 10, 100}, 3);
      for (int i = 0; i < 3; i++) { // the handle found first serves later calls and scopes
        try (Scope _ = Scope.open()) {
          Tensor product =
              Operators.call("aten::_weight_int8pack_mm", "", x, weight, scales).getFirst();
          assertThat(product.toFloats()).containsExactly(-3, 110, 1700, -5, 250, 3900);
        }
      }
    }
  }

  @Test
  void anUnknownBoxedOperatorIsNamed() {
    assertThatThrownBy(() -> Operators.call("aten::no_such_operator", ""))
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("aten::no_such_operator");
    assertThatThrownBy(() -> Operators.call("aten::relu", "", new Object()))
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("java.lang.Object");
  }
}
