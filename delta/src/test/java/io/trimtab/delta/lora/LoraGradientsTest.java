package io.trimtab.delta.lora;

import static org.assertj.core.api.Assertions.assertThat;

import io.trimtab.delta.Part;
import io.trimtab.model.Embedding;
import io.trimtab.model.Layout;
import io.trimtab.model.Linear;
import io.trimtab.model.Pass;
import io.trimtab.model.Patch;
import io.trimtab.model.weights.Weight;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.FiniteDifferences;
import io.trimtab.tensor.Gradients;
import io.trimtab.tensor.LinearAlgebra;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Reduction;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.util.List;
import java.util.Objects;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

class LoraGradientsTest {
  private static final int TOKENS = 3;
  private static final Pass PASS = Pass.plain(Layout.ofLengths(TOKENS));

  @Test
  void theInputsGradientIsThatOfFiniteDifferences() {
    try (Scope _ = Scope.open()) {
      Rng rng = Rng.seeded(1);
      Tensor weight = rng.normal(1, DType.F64, Device.CPU, 5, 4);
      Part part = linear(weight, rng);
      Patch.Output patch = (Patch.Output) part.patch();
      double error =
          FiniteDifferences.largestError(
              in -> {
                Tensor x = in.get(0);
                return squares(patch.apply(x, LinearAlgebra.linear(x, weight, null), PASS));
              },
              List.of(rng.normal(1, DType.F64, Device.CPU, TOKENS, 4)));
      assertThat(error).isLessThan(1e-8);
    }
  }

  @Test
  void theInputsGradientGoesThroughAGate() {
    try (Scope _ = Scope.open()) {
      Rng rng = Rng.seeded(5);
      Tensor weight = rng.normal(1, DType.F64, Device.CPU, 5, 4);
      Part part = linear(weight, rng, true);
      assertThat(part.parameters()).hasSize(4);
      Patch.Output patch = (Patch.Output) part.patch();
      assertThat(patch.readsWholeRows()).isTrue();
      double error =
          FiniteDifferences.largestError(
              in -> {
                Tensor x = in.get(0);
                return squares(patch.apply(x, LinearAlgebra.linear(x, weight, null), PASS));
              },
              List.of(rng.normal(1, DType.F64, Device.CPU, TOKENS, 4)));
      assertThat(error).isLessThan(1e-8);
    }
  }

  @Test
  void theParametersGradientsAreThoseOfFiniteDifferences() {
    try (Scope _ = Scope.open()) {
      Rng rng = Rng.seeded(2);
      Tensor weight = rng.normal(1, DType.F64, Device.CPU, 5, 4);
      Part part = linear(weight, rng);
      Patch.Output patch = (Patch.Output) part.patch();
      Tensor x = rng.normal(1, DType.F64, Device.CPU, TOKENS, 4);
      Tensor y = LinearAlgebra.linear(x, weight, null);
      check(part.parameters(), () -> squares(patch.apply(x, y, PASS)));
    }
  }

  @Test
  void theGradientsOfAnEmbeddingAreThoseOfFiniteDifferences() {
    try (Scope _ = Scope.open()) {
      Rng rng = Rng.seeded(3);
      Tensor table = rng.normal(1, DType.F64, Device.CPU, 6, 4);
      Part part = LoraEmbedding.create(new Embedding("words", table), 2, 0.5, false, rng);
      move(part, rng);
      Patch.Rows patch = (Patch.Rows) part.patch();
      Tensor indices = Creation.longs(new long[] {4, 1, 4}, TOKENS);
      Tensor rows = io.trimtab.tensor.Indexing.rows(table, indices);
      check(part.parameters(), () -> squares(patch.apply(indices, rows, PASS)));
    }
  }

  private static Part linear(Tensor weight, Rng rng) {
    return linear(weight, rng, false);
  }

  private static Part linear(Tensor weight, Rng rng, boolean gated) {
    Linear layer = new Linear("layer", new Weight.Dense(weight), null);
    Part part =
        LoraLinear.create(
            layer,
            List.of(FusedLayer.Rows.all(layer)),
            2,
            1.5,
            new LoraLinear.Settings(
                Starts.KAIMING, 0, !gated, false, gated, false, Lora.Trained.BOTH),
            rng);
    move(part, rng);
    return part;
  }

  private static void move(Part part, Rng rng) {
    part.parameters()
        .forEach(p -> p.assign(rng.normal(1, DType.F32, Device.CPU, p.value().shape())));
  }

  private static Tensor squares(Tensor y) {
    return Reduction.sum(Arithmetic.multiply(y, y));
  }

  /** The loss is quadratic in each parameter, so that central differences are exact at any step. */
  private static void check(List<Parameter> parameters, Supplier<Tensor> loss) {
    parameters.forEach(Parameter::clearGradient);
    Gradients.backward(loss.get());
    for (Parameter parameter : parameters) {
      double[] gradient = Objects.requireNonNull(parameter.gradient()).toDoubles();
      float[] at = parameter.value().toFloats();
      for (int i = 0; i < at.length; i++) {
        float step = 0x1p-4f;
        double slope =
            (moved(parameter, at, i, step, loss) - moved(parameter, at, i, -step, loss))
                / (2.0 * step);
        assertThat(gradient[i])
            .as("%s[%d]", parameter.name(), i)
            .isCloseTo(slope, org.assertj.core.data.Offset.offset(1e-4 * (1 + Math.abs(slope))));
      }
      parameter.assign(Creation.floats(at, parameter.value().shape()));
    }
  }

  private static double moved(
      Parameter parameter, float[] at, int i, float by, Supplier<Tensor> loss) {
    float[] values = at.clone();
    values[i] += by;
    parameter.assign(Creation.floats(values, parameter.value().shape()));
    return loss.get().item();
  }
}
