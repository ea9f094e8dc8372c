package io.trimtab.delta.lora;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.TinyModels;
import io.trimtab.model.Batch;
import io.trimtab.model.Layout;
import io.trimtab.model.Linear;
import io.trimtab.model.Model;
import io.trimtab.model.Pass;
import io.trimtab.model.Patch;
import io.trimtab.model.weights.Weight;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Gradients;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.LinearAlgebra;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Reduction;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DoraTest {
  @TempDir Path directory = Path.of("");

  private static LoraLinear part(Linear layer, int rank, double dropout, Lora.Trained trained) {
    LoraLinear.Settings settings =
        new LoraLinear.Settings(Starts.KAIMING, dropout, false, true, false, false, trained);
    return LoraLinear.create(
        layer, List.of(FusedLayer.Rows.all(layer)), rank, 1.5, settings, Rng.seeded(4));
  }

  private static void move(LoraLinear part) {
    Rng rng = Rng.seeded(5);
    part.parameters()
        .forEach(
            p ->
                p.assign(
                    Arithmetic.add(
                        p.value().detach(),
                        rng.normal(0.3, DType.F32, Device.CPU, p.value().shape()))));
  }

  @Test
  void startsAsTheBaseBitForBit() {
    try (Model model = TinyModels.maskedLm(directory);
        Delta delta =
            Lora.rank(2)
                .dora(true)
                .on("query", "output.dense", "word_embeddings")
                .attach(model, Rng.seeded(1))) {
      Batch batch = TinyModels.batch();
      assertThat(TinyModels.numbers(model, batch, Pass.with(batch.layout(), delta.patches())))
          .isEqualTo(TinyModels.numbers(model, batch, Pass.plain(batch.layout())));
    }
  }

  /** With the norm a number, m / norm (W + s B A) x is what must come out, gradients included. */
  @Test
  void rescalesRowsAndNoGradientFlowsThroughTheirNorms() {
    try (Scope _ = Scope.open()) {
      Rng rng = Rng.seeded(1);
      Tensor weight = rng.normal(1, DType.F32, Device.CPU, 5, 4);
      Tensor bias = rng.normal(1, DType.F32, Device.CPU, 5);
      Linear layer = new Linear("layer", new Weight.Dense(weight), bias);
      LoraLinear part = part(layer, 2, 0, Lora.Trained.BOTH);
      move(part);
      Tensor x = rng.normal(1, DType.F32, Device.CPU, 3, 4);
      Tensor y = LinearAlgebra.linear(x, weight, bias);
      Patch.Output patch = (Patch.Output) part.patch();
      Tensor found = patch.apply(x, y, Pass.plain(Layout.ofLengths(3)));
      List<Tensor> gradients = gradients(found, part);

      Parameter a = part.parameters().get(0);
      Parameter b = part.parameters().get(1);
      Parameter m = part.parameters().get(2);
      Tensor whole = Arithmetic.addScaled(weight, LinearAlgebra.matmul(b.value(), a.value()), 1.5);
      Tensor norm =
          Arithmetic.squareRoot(Reduction.sum(Arithmetic.multiply(whole, whole), 1)).detach();
      Tensor rows = Indexing.unsqueeze(Arithmetic.divide(m.value(), norm), 1);
      Tensor expected = LinearAlgebra.linear(x, Arithmetic.multiply(whole, rows), bias);
      assertThat(Reduction.largestDifference(found, expected)).isLessThan(1e-5);
      List<Tensor> wanted = gradients(expected, part);
      for (int i = 0; i < wanted.size(); i++) {
        assertThat(Reduction.largestDifference(gradients.get(i), wanted.get(i)))
            .as(part.parameters().get(i).name())
            .isLessThan(1e-4);
      }
    }
  }

  private static List<Tensor> gradients(Tensor output, LoraLinear part) {
    part.parameters().forEach(Parameter::clearGradient);
    Gradients.backward(Reduction.sum(Arithmetic.multiply(output, output)));
    return part.parameters().stream()
        .map(p -> Objects.requireNonNull(p.gradient()).copy())
        .toList();
  }

  /** PEFT drops the input of both products, not only of LoRA's. */
  @Test
  void dropoutInTrainingAlsoMeetsTheBase() {
    try (Scope _ = Scope.open()) {
      Rng rng = Rng.seeded(1);
      Tensor weight = rng.normal(1, DType.F32, Device.CPU, 5, 4);
      Linear layer = new Linear("layer", new Weight.Dense(weight), null);
      LoraLinear part = part(layer, 2, 0.999, Lora.Trained.BOTH);
      move(part);
      Tensor x = rng.normal(1, DType.F32, Device.CPU, 1, 4);
      Tensor y = LinearAlgebra.linear(x, weight, null);
      Pass pass = Pass.plain(Layout.ofLengths(1)).training(Rng.seeded(3));
      Tensor dropped = ((Patch.Output) part.patch()).apply(x, y, pass);
      assertThat(dropped.toFloats()).isEqualTo(y.toFloats()); // all inputs are gone
    }
  }

  @Test
  void hasAsManyNumbersAsTheReferenceSays() {
    assertThat(count(32, true, Lora.Trained.BOTH)).isEqualTo(9_289_728);
    assertThat(count(32, false, Lora.Trained.BOTH)).isEqualTo(9_175_040);
    assertThat(count(64, false, Lora.Trained.BOTH)).isEqualTo(18_350_080);
    assertThat(count(32, false, Lora.Trained.B)).isEqualTo(3_670_016); // LoRA-FA
    assertThat(count(32, false, Lora.Trained.A)).isEqualTo(5_505_024); // MiCA
  }

  /** Queries and values of the 28 layers of Llama-3.2-3B. */
  private static long count(int rank, boolean dora, Lora.Trained trained) {
    long count = 0;
    for (long out : new long[] {3072, 1024}) {
      try (Scope _ = Scope.open()) {
        Tensor weight = io.trimtab.tensor.Creation.zeros(DType.F32, Device.CPU, out, 3072);
        Linear layer = new Linear("layer", new Weight.Dense(weight), null);
        LoraLinear part =
            LoraLinear.create(
                layer,
                List.of(FusedLayer.Rows.all(layer)),
                rank,
                1,
                new LoraLinear.Settings(Starts.KAIMING, 0, false, dora, false, false, trained),
                Rng.seeded(1));
        count += part.parameters().stream().mapToLong(p -> p.value().elements()).sum();
        part.parameters().forEach(Parameter::close);
        part.constants().forEach(Parameter::close);
      }
    }
    return 28 * count;
  }

  @Test
  void aBiasOfItsOwnIsRefused() {
    assertThatThrownBy(() -> Lora.rank(2).dora(true).outputBias(true))
        .isInstanceOf(DeltaException.Unsupported.class)
        .hasMessageContaining("lora_bias");
  }
}
