package io.trimtab.delta.lntuning;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaMethods;
import io.trimtab.delta.TinyModels;
import io.trimtab.model.Model;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Rng;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LnTuningTest {
  private final DeltaMethod method = DeltaMethods.named("ln-tuning");
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
  void trainsEveryTensorOfEveryNormUnlessToldWhich() {
    try (Delta all = LnTuning.all().attach(model, Rng.seeded(1));
        Delta some =
            method
                .fromOptions(Map.of("targets", "attention.output.LayerNorm"), model)
                .attach(model, Rng.seeded(1));
        Delta matched =
            method
                .fromOptions(Map.of("targets", "[r]layer\\.1\\..*LayerNorm"), model)
                .attach(model, Rng.seeded(1))) {
      assertThat(all.count()).isEqualTo((1 + 2 * 2 + 1) * 2 * 16);
      assertThat(some.parameters())
          .extracting(Parameter::name)
          .hasSize(4)
          .contains("bert.encoder.layer.1.attention.output.LayerNorm.ln_tuning_layers.weight");
      assertThat(matched.parameters()).hasSize(4);
    }
  }

  @Test
  void namesThatHitNoNormAreErrors() {
    assertThatThrownBy(() -> LnTuning.on("LayerNorm", "final_norm").attach(model, Rng.seeded(1)))
        .isInstanceOf(DeltaException.NoMatch.class)
        .hasMessageContaining("final_norm")
        .hasMessageContaining("such as LayerNorm");
    assertThatThrownBy(() -> LnTuning.on("query").attach(model, Rng.seeded(1)))
        .isInstanceOf(DeltaException.Unsupported.class)
        .hasMessageContaining("query");
  }

  @Test
  void wholeModulesGoAlong() {
    try (Delta delta = LnTuning.all().saving("transform.dense").attach(model, Rng.seeded(1))) {
      assertThat(delta.count()).isEqualTo(6 * 2 * 16 + 16 * 16 + 16);
    }
  }
}
