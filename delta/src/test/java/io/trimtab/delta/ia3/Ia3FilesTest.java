package io.trimtab.delta.ia3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaMethods;
import io.trimtab.delta.Dense;
import io.trimtab.delta.TinyModels;
import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Linear;
import io.trimtab.model.Model;
import io.trimtab.tensor.Scope;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class Ia3FilesTest {
  @TempDir Path directory = Path.of("");

  @Test
  void transposedLayersAreThoseOfModelsThatHaveThem() {
    DeltaMethod method = DeltaMethods.named("ia3");
    ModelConfig config =
        ModelConfig.parse(
            """
            {"peft_type": "IA3", "target_modules": ["key"], "feedforward_modules": [],
             "fan_in_fan_out": true}
            """,
            directory.resolve("adapter_config.json"));
    try (Model model = TinyModels.maskedLm(directory)) {
      assertThatThrownBy(() -> method.fromConfig(config, model))
          .isInstanceOf(DeltaException.Unsupported.class)
          .hasMessageContaining("fan_in_fan_out");
      assertThat(Ia3.on("key").toConfig(model)).containsEntry("fan_in_fan_out", false);
    }
  }

  @Test
  void countsAsPublishedForLlama() {
    try (Scope _ = Scope.open()) {
      Linear q = Dense.hollow("q", 3072, 3072);
      Linear k = Dense.hollow("k", 1024, 3072);
      Linear up = Dense.hollow("up", 8192, 3072);
      Linear down = Dense.hollow("down", 3072, 8192);
      assertThat(28 * Dense.count(List.of(of(k, false), of(k, false), of(down, true))))
          .isEqualTo(286_720);
      assertThat(
              28
                  * Dense.count(
                      List.of(
                          of(q, false),
                          of(k, false),
                          of(k, false),
                          of(q, false),
                          of(up, true),
                          of(up, true),
                          of(down, true))))
          .isEqualTo(630_784);
    }
  }

  private static Ia3Linear of(Linear layer, boolean input) {
    return Ia3Linear.create(layer, input);
  }
}
