package io.trimtab.delta.adalora;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trimtab.delta.Address;
import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaFiles;
import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaMethods;
import io.trimtab.delta.Targets;
import io.trimtab.delta.TinyModels;
import io.trimtab.delta.TrainingRule;
import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Batch;
import io.trimtab.model.Linear;
import io.trimtab.model.Model;
import io.trimtab.model.Pass;
import io.trimtab.model.weights.Weight;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Gradients;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Reduction;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.nio.file.Path;
import java.util.Map;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AdaLoraTest {
  @TempDir Path directory = Path.of("");
  private Model model;
  private final Batch batch = TinyModels.batch();

  @BeforeEach
  void open() {
    model = TinyModels.maskedLm(directory.resolve("tiny"));
  }

  @AfterEach
  void close() {
    model.close();
  }

  private float[] with(Delta delta) {
    return TinyModels.numbers(model, batch, Pass.with(batch.layout(), delta.patches()));
  }

  private void train(Delta delta, int steps) {
    for (int i = 1; i <= steps; i++) {
      delta.parameters().forEach(Parameter::clearGradient);
      try (Scope _ = Scope.open()) {
        Pass pass = Pass.with(batch.layout(), delta.patches());
        Tensor logits = TinyModels.logits(model, batch, pass);
        Gradients.backward(Reduction.mean(Arithmetic.multiply(logits, logits)));
        for (Parameter each : delta.parameters()) {
          Tensor gradient = each.gradient();
          if (gradient != null) {
            each.assign(Arithmetic.addScaled(each.value().detach(), gradient, -0.05));
          }
        }
      }
      delta.rule().afterStep(i, steps);
    }
  }

  @Test
  void itsFileHoldsThePrunedRanksOnlyAndGivesTheSame() {
    try (Delta delta = AdaLora.ranks(6, 2).attach(model, Rng.seeded(1))) {
      TinyModels.move(delta, 2);
      train(delta, 8);
      float[] tuned = with(delta);
      DeltaFiles.save(delta, directory.resolve("saved"));
      try (Delta read = DeltaFiles.load(directory.resolve("saved"), model)) {
        long left =
            read.parameters().stream()
                .filter(each -> each.name().endsWith("lora_E"))
                .mapToLong(each -> each.value().size(0))
                .sum();
        assertThat(left).isEqualTo(2 * 4); // the target at each of four layers
        assertThat(((AdaLora) read.spec()).budget().steps()).isEqualTo(8);
        near(with(read), tuned);
        try (Model merged = read.merge()) {
          near(TinyModels.numbers(merged, batch, Pass.plain(batch.layout())), tuned);
        }
        // What was read is stored again as it is, its scale still that of the initial rank.
        DeltaFiles.save(read, directory.resolve("again"));
        try (Delta again = DeltaFiles.load(directory.resolve("again"), model)) {
          assertThat(again.spec()).isEqualTo(read.spec());
          assertThat(with(again)).isEqualTo(with(read));
        }
      }
      assertThat(with(delta)).as("saving changes nothing").isEqualTo(tuned);
    }
  }

  private static void near(float[] found, float[] expected) {
    assertThat(found).hasSameSizeAs(expected);
    float largest = 0;
    for (float number : expected) {
      largest = Math.max(largest, Math.abs(number));
    }
    for (int i = 0; i < found.length; i++) {
      assertThat(found[i]).isCloseTo(expected[i], Offset.offset(1e-5f * largest));
    }
  }

  @Test
  void theScaleIsThatOfTheInitialRankWhateverIsLeft() {
    String text =
        """
        {"peft_type": "ADALORA", "init_r": 4, "target_r": 2, "lora_alpha": 8, "total_step": 10,
         "target_modules": ["query"], "rank_pattern":
         {"bert.encoder.layer.0.attention.self.query.lora_E": [true, false, false, true],
          "bert.encoder.layer.1.attention.self.query.lora_E": [false, false, false, false]}}
        """;
    ModelConfig config = ModelConfig.parse(text, directory.resolve("adapter_config.json"));
    try (Delta delta =
        DeltaMethods.named("adalora").fromConfig(config, model).attach(model, Rng.seeded(1))) {
      assertThat(delta.parameters().get(0).value().shape()).containsExactly(2, 16);
      assertThat(delta.parameters().get(3).value().shape()).containsExactly(0, 16);
      TinyModels.move(delta, 3);
      try (Scope _ = Scope.open()) {
        Tensor stored = Creation.zeros(DType.F32, Device.CPU, 16, 16);
        Tensor merged = delta.parts().get(0).merge("any", stored);
        float[] a = delta.parameters().get(0).value().toFloats();
        float[] e = delta.parameters().get(1).value().toFloats();
        float[] b = delta.parameters().get(2).value().toFloats();
        double expected = (b[0] * e[0] * a[0] + b[1] * e[1] * a[16]) * 8 / (4 + 1e-5);
        assertThat(merged.toDoubles()[0]).isCloseTo(expected, Offset.offset(1e-6));
      }
    }
  }

  @Test
  void hasAsManyNumbersAsTheReferenceSays() {
    long count = 0;
    try (Scope _ = Scope.open()) {
      for (long out : new long[] {3072, 1024}) { // q and v of Llama-3.2-3B
        Tensor weight = Creation.zeros(DType.F32, Device.CPU, out, 3072);
        Linear layer = new Linear("layer", new Weight.Dense(weight), null);
        AdaLoraLinear part = AdaLoraLinear.create(layer, 64, 1, 0, Rng.seeded(1));
        count += part.parameters().stream().mapToLong(each -> each.value().elements()).sum();
        part.parameters().forEach(Parameter::close);
      }
    }
    assertThat(28 * count).isEqualTo(18_353_664);
  }

  @Test
  void settingsOutOfRangeAreRefused() {
    assertThatThrownBy(() -> AdaLora.ranks(4, 8))
        .isInstanceOf(DeltaException.class)
        .hasMessageContaining("from rank 4 to 8");
    assertThatThrownBy(() -> AdaLora.ranks(4, 2).alpha(0)).hasMessageContaining("alpha 0");
    assertThatThrownBy(() -> AdaLora.ranks(4, 2).smoothing(1, 0.5)).hasMessageContaining("beta1");
    assertThatThrownBy(() -> new Budget(5, 5, 1, 10))
        .isInstanceOf(DeltaException.class)
        .hasMessageContaining("steps left to prune");
    assertThatThrownBy(() -> new Budget(0, 0, 0, 0)).hasMessageContaining("interval");
    assertThatThrownBy(
            () ->
                AdaLora.ranks(4, 2)
                    .on(Targets.of(Address.parse("word_embeddings")))
                    .parts(model, Rng.seeded(1)))
        .isInstanceOf(DeltaException.Unsupported.class)
        .hasMessageContaining("word_embeddings");
  }

  @Test
  void aTrainingTooShortForItsScheduleIsRefused() {
    try (Delta delta =
        AdaLora.ranks(4, 2).budget(new Budget(6, 6, 1, 0)).attach(model, Rng.seeded(1))) {
      TrainingRule rule = delta.rule();
      assertThatThrownBy(() -> rule.afterStep(1, 10))
          .isInstanceOf(DeltaException.class)
          .hasMessageContaining("of 10 steps");
    }
  }

  @Test
  void optionsAreReadAsTyped() {
    DeltaMethod method = DeltaMethods.named("adalora");
    assertThat(
            method.fromOptions(
                Map.of(
                    "rank",
                    "3",
                    "initial",
                    "5",
                    "alpha",
                    "6",
                    "warmup",
                    "7",
                    "finish",
                    "9",
                    "interval",
                    "2",
                    "targets",
                    "key"),
                model))
        .isEqualTo(
            AdaLora.ranks(5, 3)
                .alpha(6)
                .budget(new Budget(7, 9, 2, 0))
                .on(Targets.of(Address.parse("key"))));
    assertThatThrownBy(() -> method.fromOptions(Map.of("tinit", "3"), model))
        .isInstanceOf(DeltaException.class)
        .hasMessageContaining("tinit")
        .hasMessageContaining("warmup");
  }

  @Test
  void fieldsThatAreNotComputedAreRefusedByName() {
    String text =
        """
        {"peft_type": "ADALORA", "target_modules": ["query"], "trainable_token_indices": [1]}
        """;
    ModelConfig config = ModelConfig.parse(text, directory.resolve("adapter_config.json"));
    assertThatThrownBy(() -> DeltaMethods.named("adalora").fromConfig(config, model))
        .isInstanceOf(DeltaException.Unsupported.class)
        .hasMessageContaining("trainable_token_indices");
  }
}
