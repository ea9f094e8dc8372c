package io.trimtab.delta.lora;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.TinyModels;
import io.trimtab.delta.ia3.Ia3;
import io.trimtab.delta.selective.Selective;
import io.trimtab.model.Batch;
import io.trimtab.model.Model;
import io.trimtab.model.Pass;
import io.trimtab.tensor.Rng;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class LoraConversionTest {
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

  static List<DeltaSpec> linear() {
    return List.of(
        Lora.rank(3).on("query", "word_embeddings", "decoder"),
        Lora.rank(3).dora(true),
        Lora.rank(3).bias(Lora.Bias.LORA_ONLY),
        Lora.rank(2).start(Starts.PISSA),
        Lora.rank(2).tokens(Map.of("word_embeddings", List.of(1, 9))),
        Lora.rank(2).saving("transform.dense"),
        Ia3.on("key", "value", "output.dense").feedForward("output.dense"));
  }

  @ParameterizedTest
  @MethodSource("linear")
  void atFullRankTheResultsAreTheSame(DeltaSpec spec) {
    try (Delta delta = spec.attach(model, Rng.seeded(1))) {
      TinyModels.move(delta, 2);
      float[] expected = with(delta);
      LoraConversion.Converted converted = LoraConversion.toRank(delta, 1000);
      try (Delta lora = converted.delta()) {
        assertThat(lora.spec()).isInstanceOf(Lora.class);
        float largest = 0;
        for (float number : expected) {
          largest = Math.max(largest, Math.abs(number));
        }
        float[] found = with(lora);
        for (int i = 0; i < found.length; i++) {
          assertThat(found[i]).isCloseTo(expected[i], Offset.offset(1e-4f * largest));
        }
        assertThat(converted.layers())
            .allSatisfy(layer -> assertThat(layer.energy()).isCloseTo(1, Offset.offset(1e-9)));
      }
    }
  }

  @Test
  void theEnergySaysWhatALowerRankLoses() {
    try (Delta delta = Lora.rank(4).attach(model, Rng.seeded(1))) {
      TinyModels.move(delta, 2);
      LoraConversion.Converted whole = LoraConversion.toRank(delta, 4);
      LoraConversion.Converted half = LoraConversion.toRank(delta, 2);
      LoraConversion.Converted most = LoraConversion.toEnergy(delta, 0.8);
      try (Delta a = whole.delta();
          Delta b = half.delta();
          Delta c = most.delta()) {
        assertThat(a.count()).isEqualTo(delta.count()).isEqualTo(2 * b.count());
        assertThat(c.count()).isBetween(1L, a.count());
        for (int i = 0; i < whole.layers().size(); i++) {
          assertThat(whole.layers().get(i).distance()).isLessThan(1e-5);
          LoraReport cut = half.layers().get(i);
          assertThat(cut.rank()).isEqualTo(2);
          assertThat(cut.energy()).isBetween(0.4, 0.9999);
          assertThat(cut.distance()).isCloseTo(Math.sqrt(1 - cut.energy()), Offset.offset(1e-4));
          LoraReport enough = most.layers().get(i);
          assertThat(enough.energy()).isGreaterThanOrEqualTo(0.8);
          assertThat(enough.rank())
              .isEqualTo(
                  cut.energy() >= 0.8 ? Math.min(2, enough.rank()) : Math.max(3, enough.rank()));
        }
      }
    }
  }

  @Test
  void whatIsNoChangeOfSuchWeightsIsRefused() {
    try (Delta full = Selective.all().attach(model, Rng.seeded(1));
        Delta untrained = Lora.rank(2).attach(model, Rng.seeded(1))) {
      TinyModels.move(full, 2);
      assertThatThrownBy(() -> LoraConversion.toRank(full, 4))
          .isInstanceOf(DeltaException.Unsupported.class)
          .hasMessageContaining("LayerNorm");
      assertThatThrownBy(() -> LoraConversion.toRank(untrained, 4))
          .isInstanceOf(DeltaException.class)
          .hasMessageContaining("changes no weight");
      assertThatThrownBy(() -> LoraConversion.toRank(untrained, 0)).hasMessageContaining("rank 0");
      assertThatThrownBy(() -> LoraConversion.toEnergy(untrained, 1.5))
          .hasMessageContaining("share of 1.5");
    }
  }
}
