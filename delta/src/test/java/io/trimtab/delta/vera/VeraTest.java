package io.trimtab.delta.vera;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaFiles;
import io.trimtab.delta.DeltaMethods;
import io.trimtab.delta.Dense;
import io.trimtab.delta.Part;
import io.trimtab.delta.TinyModels;
import io.trimtab.hub.Safetensors;
import io.trimtab.hub.TensorFile;
import io.trimtab.model.Batch;
import io.trimtab.model.Linear;
import io.trimtab.model.Model;
import io.trimtab.model.Pass;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VeraTest {
  @TempDir Path directory = Path.of("");

  @Test
  void isTheProductOfTwoScaledCornersOfSharedMatrices() {
    try (Scope _ = Scope.open()) {
      List<Linear> layers = List.of(Dense.layer("a", 5, 7), Dense.layer("b", 9, 4));
      List<Part> parts = Vera.rank(3).parts(layers);
      for (int n = 0; n < 2; n++) {
        Part part = parts.get(n);
        Dense.move(part, n);
        double[] b = Dense.numbers(part, "vera_lambda_b");
        double[] d = Dense.numbers(part, "vera_lambda_d");
        Parameter down = part.constants().get(0);
        Parameter up = part.constants().get(1);
        assertThat(down).isSameAs(parts.getFirst().constants().get(0));
        assertThat(down.value().shape()).containsExactly(3, 7);
        assertThat(up.value().shape()).containsExactly(9, 3);
        double[] large = down.value().toDoubles();
        double[] tall = up.value().toDoubles();
        Dense.check(
            part,
            layers.get(n),
            (o, i) -> {
              double sum = 0;
              for (int k = 0; k < 3; k++) {
                sum += b[o] * tall[o * 3 + k] * d[k] * large[k * 7 + i];
              }
              return sum;
            });
      }
    }
  }

  @Test
  void countsAsPublishedForLlama() {
    try (Scope _ = Scope.open()) {
      List<Linear> block = List.of(Dense.hollow("q", 3072, 3072), Dense.hollow("v", 1024, 3072));
      assertThat(28 * Dense.count(Vera.rank(256).parts(block))).isEqualTo(129_024);
    }
  }

  @Test
  void projectionsCanBeLeftOutOfFilesAndDrawnAgain() {
    try (Model model = TinyModels.maskedLm(directory.resolve("model"));
        Delta delta =
            Vera.rank(4).projectionSeed(5).projectionStored(false).attach(model, Rng.seeded(1))) {
      TinyModels.move(delta, 2);
      Path saved = directory.resolve("saved");
      DeltaFiles.save(delta, saved);
      try (TensorFile file = Safetensors.open(saved.resolve(DeltaFiles.TENSORS))) {
        assertThat(file.names()).hasSize(8).noneMatch(name -> name.contains("vera_A"));
      }
      Batch batch = TinyModels.batch();
      try (Delta again = DeltaFiles.load(saved, model)) {
        assertThat(TinyModels.numbers(model, batch, Pass.with(batch.layout(), again.patches())))
            .isEqualTo(
                TinyModels.numbers(model, batch, Pass.with(batch.layout(), delta.patches())));
      }
    }
  }

  @Test
  void refusesWhatItCannotBe() {
    assertThatThrownBy(() -> Vera.rank(0))
        .isInstanceOf(DeltaException.class)
        .hasMessageContaining("rank 0");
    assertThatThrownBy(() -> Vera.rank(4).dropout(1))
        .isInstanceOf(DeltaException.class)
        .hasMessageContaining("dropout 1.0");
    try (Model model = TinyModels.maskedLm(directory)) {
      assertThatThrownBy(() -> DeltaMethods.named("vera").fromOptions(Map.of("alpha", "8"), model))
          .isInstanceOf(DeltaException.class)
          .hasMessageContaining("alpha")
          .hasMessageContaining("projection-seed");
    }
  }
}
