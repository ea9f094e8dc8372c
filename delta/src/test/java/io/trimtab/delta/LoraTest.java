package io.trimtab.delta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trimtab.delta.lora.Lora;
import io.trimtab.model.Batch;
import io.trimtab.model.Model;
import io.trimtab.model.Pass;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Rng;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LoraTest {
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

  private float[] plain() {
    return TinyModels.numbers(model, batch, Pass.plain(batch.layout()));
  }

  private Delta attach(Lora lora) {
    return lora.attach(model, Rng.seeded(7));
  }

  private static Map<String, long[]> shapes(Delta delta) {
    Map<String, long[]> shapes = new LinkedHashMap<>();
    delta.parameters().forEach(p -> shapes.put(p.name(), p.value().shape()));
    return shapes;
  }

  @Test
  void startsAsTheBaseBitForBit() {
    Lora lora = Lora.rank(4).on(Address.parse("all-linear,word_embeddings")).bias(Lora.Bias.ALL);
    try (Delta delta = attach(lora)) {
      assertThat(with(delta)).isEqualTo(plain());
    }
  }

  @Test
  void hasAsManyNumbersAsThePaperSays() {
    try (Model base = TinyModels.baseSized(directory.resolve("base"));
        Delta delta = Lora.rank(8).attach(base, Rng.seeded(1))) {
      assertThat(delta.count()).isEqualTo(294_912); // 12 layers x 2 x 8 x (768 + 768)
    }
  }

  @Test
  void theSeedFixesTheStart() {
    try (Delta one = attach(Lora.rank(2));
        Delta same = attach(Lora.rank(2));
        Delta other = Lora.rank(2).attach(model, Rng.seeded(8))) {
      float[] values = one.parameters().getFirst().value().toFloats();
      assertThat(same.parameters().getFirst().value().toFloats()).isEqualTo(values);
      assertThat(other.parameters().getFirst().value().toFloats()).isNotEqualTo(values);
      for (float value : values) {
        assertThat(Math.abs(value)).isLessThanOrEqualTo(0.25f); // 1 / sqrt(16)
      }
    }
  }

  @Test
  void rankStabilisedScalesByTheRootOfTheRank() {
    // alpha / sqrt(4) is twice alpha / 4, so that half the alpha gives the same.
    try (Delta stabilised = attach(Lora.rank(4).alpha(4).rankStabilised(true));
        Delta usual = attach(Lora.rank(4).alpha(8))) {
      TinyModels.move(stabilised, 3);
      TinyModels.move(usual, 3);
      assertThat(with(stabilised)).isEqualTo(with(usual)).isNotEqualTo(plain());
    }
  }

  @Test
  void dropsOutInTrainingOnlyAndBySeed() {
    try (Delta dropping = attach(Lora.rank(4).dropout(0.5));
        Delta keeping = attach(Lora.rank(4))) {
      TinyModels.move(dropping, 3);
      TinyModels.move(keeping, 3);
      Pass pass = Pass.with(batch.layout(), dropping.patches());
      float[] first = TinyModels.numbers(model, batch, pass.training(Rng.seeded(1)));
      float[] again = TinyModels.numbers(model, batch, pass.training(Rng.seeded(1)));
      float[] other = TinyModels.numbers(model, batch, pass.training(Rng.seeded(2)));
      assertThat(with(dropping)).isEqualTo(with(keeping));
      assertThat(first).isEqualTo(again).isNotEqualTo(other).isNotEqualTo(with(keeping));
    }
  }

  @Test
  void patternsGiveLayersTheirOwnRankAndAlphaTheFirstMatchCounts() {
    Map<String, Integer> ranks = new LinkedHashMap<>();
    ranks.put("layer.1.attention.self.query", 7);
    ranks.put("query", 2);
    Lora lora =
        Lora.rank(4)
            .alpha(8)
            .patterns(ranks, Map.of("uery", 100.0)); // not at a dot: matches nothing
    String query = ".attention.self.query.lora_A.weight";
    try (Delta delta = attach(lora)) {
      assertThat(shapes(delta).get("bert.encoder.layer.0" + query)).containsExactly(2, 16);
      assertThat(shapes(delta).get("bert.encoder.layer.1" + query)).containsExactly(7, 16);
      assertThat(shapes(delta).get("bert.encoder.layer.0.attention.self.value.lora_B.weight"))
          .containsExactly(16, 4);
    }
  }

  @Test
  void anAlphaOfItsOwnScalesTheLayer() {
    Lora half =
        Lora.rank(4)
            .alpha(8)
            .on("query")
            .patterns(Map.of(), Map.of("layer.[01].attention.self.query", 4.0));
    try (Delta pattern = attach(half);
        Delta plain = attach(Lora.rank(4).alpha(4).on("query"))) {
      TinyModels.move(pattern, 3);
      TinyModels.move(plain, 3);
      assertThat(with(pattern)).isEqualTo(with(plain));
    }
  }

  @Test
  void biasesOfAllOrOfTheAdaptedLayersAreTrainedAlong() {
    try (Delta none = attach(Lora.rank(1));
        Delta adapted = attach(Lora.rank(1).bias(Lora.Bias.LORA_ONLY));
        Delta all = attach(Lora.rank(1).bias(Lora.Bias.ALL))) {
      assertThat(names(none)).noneMatch(name -> name.endsWith("bias"));
      assertThat(names(adapted).stream().filter(name -> name.endsWith("bias")))
          .hasSize(4)
          .allMatch(name -> name.matches(".*(query|value)\\.base_layer\\.bias"));
      long stored = model.tensors().keySet().stream().filter(n -> n.endsWith("bias")).count();
      assertThat(names(all).stream().filter(name -> name.endsWith("bias"))).hasSize((int) stored);
    }
  }

  private static List<String> names(Delta delta) {
    return delta.parameters().stream().map(Parameter::name).toList();
  }

  @Test
  void modulesAreTrainedAsAWhole() {
    try (Model classifier = TinyModels.classifier(directory.resolve("classifier"));
        Delta delta =
            Lora.rank(1)
                .on(Address.ALL_LINEAR)
                .saving("classifier", "pooler")
                .attach(classifier, Rng.seeded(1))) {
      assertThat(names(delta))
          .contains("classifier.weight", "classifier.bias", "bert.pooler.dense.weight")
          .noneMatch(name -> name.startsWith("bert.pooler.dense.lora"));
    }
    assertThatThrownBy(() -> attach(Lora.rank(1).saving("score")))
        .isInstanceOf(DeltaException.NoMatch.class)
        .hasMessageContaining("score");
  }

  @Test
  void settingsOutOfRangeAreRefused() {
    assertThatThrownBy(() -> Lora.rank(0)).isInstanceOf(DeltaException.class);
    assertThatThrownBy(() -> Lora.rank(1).dropout(1)).isInstanceOf(DeltaException.class);
    assertThatThrownBy(() -> Lora.rank(1).dropout(Double.NaN)).isInstanceOf(DeltaException.class);
  }

  @Test
  void optionsAreReadAsTyped() {
    DeltaMethod method = DeltaMethods.named("lora");
    assertThat(method.fromOptions(Map.of(), model)).isEqualTo(Lora.rank(8).on("query", "value"));
    DeltaSpec typed =
        method.fromOptions(
            Map.of("rank", "3", "alpha", "5", "targets", "key", "bias", "all"), model);
    assertThat(typed).isEqualTo(Lora.rank(3).alpha(5).bias(Lora.Bias.ALL).on("key"));
    assertThatThrownBy(() -> method.fromOptions(Map.of("rnak", "3"), model))
        .isInstanceOf(DeltaException.class)
        .hasMessageContaining("rnak")
        .hasMessageContaining("rank");
    assertThatThrownBy(() -> method.fromOptions(Map.of("rank", "x"), model))
        .isInstanceOf(DeltaException.class)
        .hasMessageContaining("rank=x");
    assertThatThrownBy(() -> DeltaMethods.named("lroa"))
        .isInstanceOf(DeltaException.Unsupported.class)
        .hasMessageContaining("lora");
  }

  @Test
  void twoPartsAtOneSiteAreRefused() {
    Part part = Lora.rank(1).parts(model, Rng.seeded(1)).getFirst();
    assertThatThrownBy(() -> Delta.of(Lora.rank(1), model, Arrays.asList(part, part)))
        .isInstanceOf(DeltaException.class)
        .hasMessageContaining("two parts");
  }
}
