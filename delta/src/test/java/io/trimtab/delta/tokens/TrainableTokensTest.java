package io.trimtab.delta.tokens;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaFiles;
import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaMethods;
import io.trimtab.delta.TinyModels;
import io.trimtab.model.Batch;
import io.trimtab.model.Model;
import io.trimtab.model.Pass;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Objects;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrainableTokensTest {
  private static final String TABLE = "bert.embeddings.word_embeddings.weight";

  private final DeltaMethod method = DeltaMethods.named("tokens");
  private final Batch batch = TinyModels.batch();
  @TempDir Path directory = Path.of("");

  private float[] numbers(Model model, Delta delta) {
    return TinyModels.numbers(model, batch, Pass.with(batch.layout(), delta.patches()));
  }

  @Test
  void aTiedHeadSeesThemAndLosesItsBiasOnlyWhereAsked() {
    try (Model model = TinyModels.maskedLm(directory);
        Delta kept = of(5, 17).attach(model, Rng.seeded(1));
        Delta dropped = of(5, 17).droppingHeadBias().attach(model, Rng.seeded(1))) {
      float[] plain = TinyModels.numbers(model, batch, Pass.plain(batch.layout()));
      float[] start = numbers(model, kept);
      assertThat(start).containsExactly(plain, Offset.offset(1e-5f));
      float[] bias;
      try (Scope _ = Scope.open()) {
        bias = numbers(model, "cls.predictions.bias");
      }
      float[] without = numbers(model, dropped);
      float[] expected = plain.clone();
      for (int i = 0; i < expected.length; i++) {
        expected[i] -= bias[i % bias.length];
      }
      assertThat(without).containsExactly(expected, Offset.offset(1e-5f));
      TinyModels.move(kept, 2);
      float[] moved = numbers(model, kept);
      // No row of the batch has token 17, so that only the head can have moved its score.
      assertThat(moved[17]).isNotCloseTo(plain[17], Offset.offset(1e-3f));
    }
  }

  private static float[] numbers(Model model, String tensor) {
    return Objects.requireNonNull(model.tensors().get(tensor)).toFloats();
  }

  private static TrainableTokens of(int... tokens) {
    return TrainableTokens.of("word_embeddings", tokens);
  }

  @Test
  void mergesExactlyTheTrainedRowsIntoTheTableAndTheTiedHead() {
    try (Model model = TinyModels.maskedLm(directory);
        Delta delta = of(5, 17).attach(model, Rng.seeded(1))) {
      TinyModels.move(delta, 2);
      float[] rows = delta.parameters().getFirst().value().detach().toFloats();
      try (Model merged = delta.merge();
          Scope _ = Scope.open()) {
        float[] before = numbers(model, TABLE);
        float[] after = numbers(merged, TABLE);
        assertThat(Arrays.copyOfRange(after, 17 * 16, 18 * 16))
            .isEqualTo(Arrays.copyOfRange(rows, 16, 32));
        assertThat(Arrays.copyOfRange(after, 18 * 16, 40 * 16))
            .isEqualTo(Arrays.copyOfRange(before, 18 * 16, 40 * 16));
        assertThat(TinyModels.numbers(merged, batch, Pass.plain(batch.layout())))
            .containsExactly(numbers(model, delta), Offset.offset(2e-5f));
      }
    }
  }

  @Test
  void whereNoHeadIsTiedOnlyTheRowsAreTouched() {
    try (Model model = TinyModels.classifier(directory);
        Delta used = of(26).attach(model, Rng.seeded(1));
        Delta unused = of(39).attach(model, Rng.seeded(1))) {
      float[] plain = TinyModels.numbers(model, batch, Pass.plain(batch.layout()));
      assertThat(numbers(model, used)).isEqualTo(plain);
      TinyModels.move(used, 2);
      TinyModels.move(unused, 2);
      assertThat(numbers(model, used)).isNotEqualTo(plain);
      assertThat(numbers(model, unused)).isEqualTo(plain);
    }
  }

  @Test
  void keepingTheBiasSurvivesTheFile() {
    try (Model model = TinyModels.maskedLm(directory.resolve("model"));
        Delta kept = of(5).attach(model, Rng.seeded(1))) {
      DeltaFiles.save(kept, directory.resolve("saved"));
      try (Delta again = DeltaFiles.load(directory.resolve("saved"), model)) {
        assertThat(numbers(model, again)).isEqualTo(numbers(model, kept));
      }
    }
  }

  @Test
  void optionsTakeNumbersAndRanges() {
    try (Model model = TinyModels.maskedLm(directory)) {
      assertThat(method.fromOptions(Map.of("tokens", "3,5-7"), model))
          .isEqualTo(TrainableTokens.of("bert.embeddings.word_embeddings", 3, 5, 6, 7));
      try (Delta all = method.fromOptions(Map.of(), model).attach(model, Rng.seeded(1))) {
        assertThat(all.count()).isEqualTo(40 * 16);
      }
      for (String wrong : new String[] {"x", "7-5", "-3"}) {
        assertThatThrownBy(() -> method.fromOptions(Map.of("tokens", wrong), model))
            .isInstanceOf(DeltaException.class)
            .hasMessageContaining("5,17,40-43");
      }
      assertThatThrownBy(() -> of(40).attach(model, Rng.seeded(1)))
          .isInstanceOf(DeltaException.class)
          .hasMessageContaining("0 to 39");
      assertThatThrownBy(() -> of(4, 4).attach(model, Rng.seeded(1)))
          .isInstanceOf(DeltaException.class)
          .hasMessageContaining("twice");
      assertThatThrownBy(() -> TrainableTokens.of("query", 4).attach(model, Rng.seeded(1)))
          .isInstanceOf(DeltaException.Unsupported.class)
          .hasMessageContaining("word_embeddings");
    }
  }
}
