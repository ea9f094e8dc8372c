package io.trimtab.delta.selective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaFiles;
import io.trimtab.delta.DeltaMethods;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.TinyModels;
import io.trimtab.model.Batch;
import io.trimtab.model.Model;
import io.trimtab.model.Pass;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Rng;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SelectiveTest {
  @TempDir Path directory = Path.of("");
  private Model model;

  @BeforeEach
  void open() {
    model = TinyModels.maskedLm(directory.resolve("model"));
  }

  @AfterEach
  void close() {
    model.close();
  }

  private static DeltaSpec spec(String method, Map<String, String> options, Model model) {
    return DeltaMethods.named(method).fromOptions(options, model);
  }

  private List<String> names(DeltaSpec spec) {
    try (Delta delta = spec.attach(model, Rng.seeded(1))) {
      return delta.parameters().stream().map(Parameter::name).toList();
    }
  }

  @Test
  void bitFitTrainsBiasesAllOrThoseOfChosenModules() {
    assertThat(names(Selective.biases())).hasSize(2 * 8 + 4).allMatch(n -> n.endsWith("bias"));
    assertThat(names(spec("bitfit", Map.of("targets", "query,layer.1.output"), model)))
        .containsExactlyInAnyOrder(
            "bert.encoder.layer.0.attention.self.query.bias",
            "bert.encoder.layer.1.attention.self.query.bias",
            "bert.encoder.layer.1.output.dense.bias",
            "bert.encoder.layer.1.output.LayerNorm.bias");
    assertThatThrownBy(() -> names(BitFit.existing().in("query", "word_embeddings")))
        .isInstanceOf(DeltaException.NoMatch.class)
        .hasMessageContaining("word_embeddings");
    assertThat(names(BitFit.existing().in("query").saving("transform.dense")))
        .contains("cls.predictions.transform.dense.weight")
        .hasSize(4);
  }

  /** A bias of queries, keys and values is one tensor: a part of it cannot be trained alone. */
  @Test
  void bitFitOnAPartOfALayerIsRefused() {
    Path folder =
        TinyModels.fixtures("hf").stream()
            .filter(path -> path.endsWith("gpt2"))
            .findFirst()
            .orElse(directory);
    assumeTrue(!folder.equals(directory), "no recorded models at -Dtrimtab.fixtures");
    try (Model fused = TinyModels.open(folder)) {
      DeltaSpec part = spec("bitfit", Map.of("targets", "@attn.q"), fused);
      assertThatThrownBy(() -> part.attach(fused, Rng.seeded(1)))
          .isInstanceOf(DeltaException.Unsupported.class)
          .hasMessageContaining("attn.c_attn[0:32]")
          .hasMessageContaining("name the layer");
      try (Delta whole =
          spec("bitfit", Map.of("targets", "@attn.q,@attn.k,@attn.v"), fused)
              .attach(fused, Rng.seeded(1))) {
        assertThat(whole.parameters()).hasSize(3).allMatch(each -> each.value().size(0) == 96);
      }
    }
  }

  /** OpenDelta reads a norm's missing {@code out_features} here, and crashes. */
  @Test
  void addedBiasesStartAtZeroOnLinearLayersAndNormsWithoutOne() {
    Path folder =
        TinyModels.fixtures("hf").stream()
            .filter(path -> path.endsWith("modernbert"))
            .findFirst()
            .orElse(directory);
    assumeTrue(!folder.equals(directory), "no recorded models at -Dtrimtab.fixtures");
    Batch batch = TinyModels.batch();
    try (Model modern = TinyModels.open(folder);
        Delta delta = spec("bitfit", Map.of("add", "true"), modern).attach(modern, Rng.seeded(1))) {
      Pass pass = Pass.with(batch.layout(), delta.patches());
      float[] plain = TinyModels.numbers(modern, batch, Pass.plain(batch.layout()));
      assertThat(TinyModels.numbers(modern, batch, pass)).isEqualTo(plain);
      assertThat(delta.parameters())
          .extracting(Parameter::name)
          .contains("model.layers.1.mlp_norm.bias", "model.layers.0.mlp.Wi.bias");
      try (Delta norm = BitFit.existing().adding().in("final_norm").attach(modern, Rng.seeded(1))) {
        TinyModels.move(norm, 2);
        assertThat(TinyModels.numbers(modern, batch, Pass.with(batch.layout(), norm.patches())))
            .as("a norm's added bias acts")
            .isNotEqualTo(plain);
      }
      TinyModels.move(delta, 2);
      float[] moved = TinyModels.numbers(modern, batch, pass);
      DeltaFiles.save(delta, directory.resolve("saved"));
      try (Delta again = DeltaFiles.load(directory.resolve("saved"), modern)) {
        assertThat(TinyModels.numbers(modern, batch, Pass.with(batch.layout(), again.patches())))
            .isEqualTo(moved);
      }
      assertThatThrownBy(delta::merge)
          .isInstanceOf(DeltaException.Unsupported.class)
          .hasMessageContaining("merge");
    }
  }

  @Test
  void lastBlocksComeWithTheHeadButNotWithTheTableItIsTiedTo() {
    assertThat(names(Selective.lastBlocks(1)))
        .contains("bert.encoder.layer.1.output.dense.weight", "cls.predictions.bias")
        .contains("cls.predictions.transform.dense.weight")
        .doesNotContain("bert.embeddings.word_embeddings.weight")
        .noneMatch(name -> name.startsWith("bert.encoder.layer.0"));
    assertThat(names(Selective.lastBlocks(0))).allMatch(name -> name.startsWith("cls."));
    assertThat(names(spec("last-k", Map.of("k", "2"), model)))
        .contains("bert.encoder.layer.0.attention.self.query.weight")
        .noneMatch(name -> name.startsWith("bert.embeddings"));
    assertThatThrownBy(() -> names(Selective.lastBlocks(3)))
        .isInstanceOf(DeltaException.class)
        .hasMessageContaining("at most the model's 2");
    assertThatThrownBy(() -> Selective.lastBlocks(-1)).isInstanceOf(DeltaException.class);
  }

  @Test
  void modulesAreNamedByPathsOfAnyLevel() {
    assertThat(names(Selective.modules("layer.1.attention")))
        .hasSize(10)
        .allMatch(name -> name.startsWith("bert.encoder.layer.1.attention."));
    assertThat(names(Selective.modules("query.weight"))).hasSize(2);
    assertThat(names(spec("modules", Map.of("targets", "[r]layer\\.0\\..*dense"), model)))
        .hasSize(6);
    assertThat(names(spec("modules", Map.of(), model)))
        .allMatch(name -> name.startsWith("bert.encoder.layer.1."));
    assertThatThrownBy(() -> names(Selective.modules("query", "quary")))
        .isInstanceOf(DeltaException.NoMatch.class)
        .hasMessageContaining("quary")
        .hasMessageContaining("bert.encoder.layer.*.attention.self.query");
    assertThatThrownBy(() -> Selective.modules(" "))
        .isInstanceOf(DeltaException.class)
        .hasMessageContaining("no modules");
  }

  @Test
  void everyChoiceSurvivesItsFile() {
    List<DeltaSpec> specs =
        List.of(
            Selective.all(),
            Selective.biases().in("query"),
            Selective.lastBlocks(1),
            Selective.modules("layer.1.attention", "cls"));
    for (DeltaSpec spec : specs) {
      Path saved = directory.resolve(spec.method().name());
      try (Delta delta = spec.attach(model, Rng.seeded(1))) {
        DeltaFiles.save(delta, saved);
      }
      try (Delta again = DeltaFiles.load(saved, model)) {
        assertThat(again.parameters().stream().map(Parameter::name).toList())
            .isEqualTo(names(spec));
      }
    }
  }
}
