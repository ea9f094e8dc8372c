package io.trimtab.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class CustomFunctionTest {
  private static Tensor random(long seed, long... shape) {
    return Rng.seeded(seed).normal(1, DType.F64, Device.CPU, shape);
  }

  /** x (A B) for a matrix x and factors of any shape that fit. */
  private record Factors(Tensor x, Tensor a, Tensor b) implements CustomFunction {
    static Tensor of(Tensor x, Tensor a, Tensor b) {
      return Gradients.custom(new Factors(x, a, b), List.of(x, a, b));
    }

    @Override
    public Tensor forward() {
      return LinearAlgebra.matmul(x, LinearAlgebra.matmul(a, b));
    }

    @Override
    public List<Tensor> saved() {
      return List.of(x, a, b, LinearAlgebra.matmul(a, b)); // one that nobody else has
    }

    @Override
    public List<@Nullable Tensor> backward(
        Tensor gradient, List<Tensor> saved, List<Boolean> wanted) {
      Tensor ofProduct = LinearAlgebra.matmul(saved.get(0).transpose(0, 1), gradient);
      return Arrays.asList(
          wanted.get(0) ? LinearAlgebra.matmul(gradient, saved.get(3).transpose(0, 1)) : null,
          wanted.get(1) ? LinearAlgebra.matmul(ofProduct, saved.get(2).transpose(0, 1)) : null,
          wanted.get(2) ? LinearAlgebra.matmul(saved.get(1).transpose(0, 1), ofProduct) : null);
    }
  }

  @Test
  void everyInputHasTheGradientOfCentralDifferences() {
    try (Scope _ = Scope.open()) {
      double error =
          FiniteDifferences.largestError(
              in -> {
                Tensor x = in.get(0);
                for (int i = 0; i < 5; i++) { // the same factors in many nodes, and what is between
                  x = Neural.tanh(Scope.of(factors(x, in.get(1), in.get(2))));
                }
                return Reduction.sum(Arithmetic.multiply(x, in.get(0)));
              },
              List.of(random(1, 3, 4), random(2, 4, 2), random(3, 2, 4)));
      assertThat(error).isLessThan(1e-6);
    }
  }

  /** In a scope of its own, as a block of a model has it: handles of what is inside are gone. */
  private static java.util.function.Supplier<Tensor> factors(Tensor x, Tensor a, Tensor b) {
    return () ->
        Factors.of(Arithmetic.multiply(x, 1.5), Arithmetic.multiply(a, 2), Arithmetic.negate(b));
  }

  @Test
  void someInputsMayWantNone() {
    try (Scope _ = Scope.open()) {
      Tensor x = random(1, 3, 4);
      Tensor a = random(2, 4, 2);
      Tensor b = random(3, 2, 5);
      for (int wanted = 1; wanted < 8; wanted++) {
        List<Tensor> inputs = new ArrayList<>();
        List<Tensor> variables = new ArrayList<>();
        for (Tensor each : List.of(x, a, b)) {
          boolean is = (wanted & 1 << inputs.size()) != 0;
          inputs.add(is ? Gradients.variable(each) : each);
          if (is) {
            variables.add(inputs.getLast());
          }
        }
        Tensor own = Factors.of(inputs.get(0), inputs.get(1), inputs.get(2));
        Tensor plain =
            LinearAlgebra.matmul(inputs.get(0), LinearAlgebra.matmul(inputs.get(1), inputs.get(2)));
        List<Tensor> above = List.of(random(4, 3, 5));
        List<Tensor> found = Gradients.of(List.of(own), above, variables);
        List<Tensor> expected = Gradients.of(List.of(plain), above, variables);
        assertThat(Reduction.largestDifference(own, plain)).isLessThan(1e-12);
        for (int i = 0; i < found.size(); i++) {
          assertThat(Reduction.largestDifference(found.get(i), expected.get(i)))
              .as(wanted + " " + i)
              .isLessThan(1e-12);
        }
      }
    }
  }

  @Test
  void gradientsOfSomeInputsMayBeAskedForAlone() {
    try (Scope _ = Scope.open()) {
      Tensor x = Gradients.variable(random(1, 3, 4));
      Tensor a = Gradients.variable(random(2, 4, 2));
      Tensor b = Gradients.variable(random(3, 2, 5));
      Tensor y = Factors.of(x, a, b);
      Tensor found = Gradients.of(List.of(y), List.of(random(4, 3, 5)), List.of(b)).getFirst();
      Tensor plain = LinearAlgebra.matmul(x, LinearAlgebra.matmul(a, b));
      Tensor expected =
          Gradients.of(List.of(plain), List.of(random(4, 3, 5)), List.of(b)).getFirst();
      assertThat(Reduction.largestDifference(found, expected)).isLessThan(1e-12);
    }
  }

  @Test
  void inputsOfAnotherTypeGetGradientsOfTheirs() {
    try (Scope _ = Scope.open();
        Parameter p = Parameter.of("p", Creation.floats(new float[] {1, 2}, 2))) {
      Tensor x = random(1, 3, 2);
      Tensor y =
          Gradients.custom(
              new CustomFunction() {
                @Override
                public Tensor forward() {
                  return Arithmetic.multiply(x, p.value().to(DType.F64));
                }

                @Override
                public List<Tensor> saved() {
                  return List.of(x);
                }

                @Override
                public List<@Nullable Tensor> backward(
                    Tensor gradient, List<Tensor> saved, List<Boolean> wanted) {
                  Tensor each = Arithmetic.multiply(gradient, saved.getFirst());
                  return Arrays.asList(null, Reduction.sum(each, 0).to(DType.F32));
                }
              },
              List.of(x, p.value()));
      Gradients.backward(Reduction.sum(y));
      Tensor gradient = java.util.Objects.requireNonNull(p.gradient());
      assertThat(gradient.dtype()).isEqualTo(DType.F32);
      assertThat(Reduction.largestDifference(gradient, Reduction.sum(x, 0).to(DType.F32)))
          .isLessThan(1e-6);
    }
  }

  @Test
  void inputKeepsItsValuesAndNothingIsRecordedWhereNoGradientIsWanted() {
    try (Scope _ = Scope.open()) {
      Tensor x = Gradients.variable(random(1, 3, 4));
      Tensor hidden = Neural.tanh(x);
      double[] before = hidden.toDoubles();
      Tensor a = Gradients.variable(random(2, 4, 2));
      Factors.of(hidden, a, random(3, 2, 5));
      assertThat(hidden.toDoubles()).isEqualTo(before);
      // A graph that saved the input, and one that changed it, would refuse this.
      Gradients.backward(Reduction.sum(Neural.tanh(hidden)));
      assertThat(Gradients.none(() -> Factors.of(hidden, a, random(3, 2, 5))).requiresGradient())
          .isFalse();
    }
  }

  @Test
  void secondBackwardPassIsRefusedInOneLine() {
    try (Scope _ = Scope.open()) {
      Tensor x = Gradients.variable(random(1, 3, 4));
      Tensor y = Factors.of(x, random(2, 4, 2), random(3, 2, 5));
      Tensor one = Gradients.custom(x, in -> Arithmetic.multiply(in, 2), g -> g);
      for (Tensor each : List.of(y, one)) {
        // Nothing between the loss and the node keeps what the engine itself would miss.
        Tensor loss = Reduction.sum(each);
        Gradients.backward(loss);
        System.gc();
        assertThatThrownBy(() -> Gradients.backward(loss))
            .isInstanceOf(TensorException.class)
            .hasMessageContaining("found a second backward pass")
            .message()
            .doesNotContain("\n");
        System.gc();
        assertThatThrownBy(() -> Gradients.backward(Reduction.sum(each)))
            .isInstanceOf(TensorException.class)
            .hasMessageContaining("found a second backward pass");
      }
    }
  }

  @Test
  void whatIsSavedIsFreedWithABackwardPassOrWithout() {
    long before = org.bytedeco.javacpp.Pointer.totalCount();
    for (int i = 0; i < 100; i++) {
      try (Scope _ = Scope.open()) {
        Tensor x = Gradients.variable(random(1, 3, 4));
        Tensor y = Factors.of(x, random(2, 4, 2), random(3, 2, 5));
        if (i % 2 == 0) {
          Gradients.backward(Reduction.sum(y));
        }
      }
    }
    // The binding forgets to count one reference a hook down; four tensors a call were saved.
    assertThat(org.bytedeco.javacpp.Pointer.totalCount() - before).isLessThan(150);
  }
}
