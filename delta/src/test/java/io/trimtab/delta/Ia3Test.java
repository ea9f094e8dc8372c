package io.trimtab.delta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trimtab.delta.ia3.Ia3;
import io.trimtab.model.Batch;
import io.trimtab.model.Model;
import io.trimtab.model.Pass;
import io.trimtab.tensor.Rng;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class Ia3Test {
  @TempDir Path directory = Path.of("");
  private Model model;

  @BeforeEach
  void open() {
    model = TinyModels.maskedLm(directory);
  }

  @AfterEach
  void close() {
    model.close();
  }

  @Test
  void startsAsTheBaseBitForBit() {
    Batch batch = TinyModels.batch();
    try (Delta delta = usual().attach(model, Rng.seeded(1))) {
      assertThat(TinyModels.numbers(model, batch, Pass.with(batch.layout(), delta.patches())))
          .isEqualTo(TinyModels.numbers(model, batch, Pass.plain(batch.layout())));
    }
  }

  private DeltaSpec usual() {
    return DeltaMethods.named("ia3").fromOptions(Map.of(), model);
  }

  @Test
  void rescalesKeysValuesAndTheInnerActivationsAsThePaperHasIt() {
    try (Delta delta = usual().attach(model, Rng.seeded(1))) {
      assertThat(delta.count()).isEqualTo(2 * (16 + 16 + 24));
      assertThat(delta.parameters())
          .filteredOn(p -> p.name().endsWith("0.output.dense.ia3_l"))
          .singleElement()
          .satisfies(p -> assertThat(p.value().shape()).containsExactly(1, 24));
      assertThat(delta.parameters())
          .filteredOn(p -> p.name().endsWith("0.attention.self.key.ia3_l"))
          .singleElement()
          .satisfies(p -> assertThat(p.value().shape()).containsExactly(16, 1));
    }
  }

  @Test
  void optionsNameItsLayers() {
    DeltaMethod method = DeltaMethods.named("ia3");
    DeltaSpec typed =
        method.fromOptions(
            Map.of("targets", "value,output.dense", "feedforward", "output.dense"), model);
    assertThat(typed).isInstanceOf(Ia3.class);
    try (Delta delta = typed.attach(model, Rng.seeded(1))) {
      assertThat(delta.count()).isEqualTo(2 * (16 + 16 + 24));
    }
    assertThatThrownBy(() -> method.fromOptions(Map.of("feedforward", "key"), model))
        .isInstanceOf(DeltaException.class)
        .hasMessageContaining("targets");
    assertThatThrownBy(() -> method.fromOptions(Map.of("rank", "8"), model))
        .isInstanceOf(DeltaException.class)
        .hasMessageContaining("rank");
  }

  @Test
  void embeddingsAreRefused() {
    assertThatThrownBy(() -> Ia3.on("word_embeddings").attach(model, Rng.seeded(1)))
        .isInstanceOf(DeltaException.Unsupported.class)
        .hasMessageContaining("word_embeddings");
  }
}
