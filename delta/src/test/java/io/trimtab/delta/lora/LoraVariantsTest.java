package io.trimtab.delta.lora;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaFiles;
import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaMethods;
import io.trimtab.delta.TinyModels;
import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Batch;
import io.trimtab.model.Embedding;
import io.trimtab.model.Model;
import io.trimtab.model.ModelException;
import io.trimtab.model.Pass;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Rng;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** LoRA+, LoRA-FA, trained tokens, parts of fused layers, and the options for all of them. */
class LoraVariantsTest {
  @TempDir Path directory = Path.of("");
  private Model model;
  private final Batch batch = TinyModels.batch();
  private final DeltaMethod method = DeltaMethods.named("lora");

  @BeforeEach
  void open() {
    model = TinyModels.maskedLm(directory.resolve("tiny"));
  }

  @AfterEach
  void close() {
    model.close();
  }

  private float[] with(Delta delta) {
    return TinyModels.numbers(delta.base(), batch, Pass.with(batch.layout(), delta.patches()));
  }

  private float[] plain(Model of) {
    return TinyModels.numbers(of, batch, Pass.plain(batch.layout()));
  }

  private Lora read(String fields) {
    String text = "{\"peft_type\": \"LORA\", \"target_modules\": [\"query\"], " + fields + "}";
    Path path = directory.resolve("adapter_config.json");
    return (Lora) method.fromConfig(ModelConfig.parse(text, path), model);
  }

  @Test
  void loraPlusMakesTheRateOfBTheLarger() {
    Lora plus = Lora.rank(2).on("query", "word_embeddings").plus(16).dora(true);
    try (Delta delta = plus.attach(model, Rng.seeded(1))) {
      for (Parameter each : delta.parameters()) {
        boolean isB = each.name().endsWith("lora_B.weight");
        assertThat(plus.rateFactor(each)).as(each.name()).isEqualTo(isB ? 16 : 1);
      }
    }
    assertThatThrownBy(() -> Lora.rank(2).plus(0)).hasMessageContaining("16 is usual");
  }

  @Test
  void trainedTokensChangeTheirRowsAndATiedHead() {
    Lora lora = Lora.rank(1).on("query").tokens(List.of(15, 9));
    try (Delta delta = lora.attach(model, Rng.seeded(1))) {
      assertThat(with(delta)).as("the start, head's bias and all").isEqualTo(plain(model));
      Parameter rows =
          delta.parameters().stream()
              .filter(each -> each.name().endsWith("token_adapter.trainable_tokens_delta"))
              .findFirst()
              .orElseThrow();
      assertThat(rows.value().shape()).containsExactly(2, 16);
      TinyModels.move(delta, 2);
      float[] tuned = with(delta);
      try (Model merged = delta.merge()) {
        float[] before = table(model);
        float[] after = table(merged);
        float[] moved = rows.value().toFloats();
        for (int row = 0; row < before.length / 16; row++) {
          float[] expected =
              row == 15
                  ? Arrays.copyOfRange(moved, 0, 16)
                  : row == 9
                      ? Arrays.copyOfRange(moved, 16, 32)
                      : Arrays.copyOfRange(before, row * 16, row * 16 + 16);
          assertThat(Arrays.copyOfRange(after, row * 16, row * 16 + 16)).isEqualTo(expected);
        }
      }
      DeltaFiles.save(delta, directory.resolve("saved"));
      try (Delta again = DeltaFiles.load(directory.resolve("saved"), model)) {
        assertThat(with(again)).isEqualTo(tuned);
        assertThat(((Lora) again.spec()).headWithoutBias()).isFalse();
      }
    }
  }

  /** The input embedding is what the tokens go through, whatever it is called. */
  @TestFactory
  Stream<DynamicTest> trainedTokensFindTheInputEmbedding() {
    List<Path> models = TinyModels.fixtures("hf");
    assumeTrue(!models.isEmpty(), "no recorded models at -Dtrimtab.fixtures");
    return models.stream()
        .map(
            path ->
                DynamicTest.dynamicTest(
                    String.valueOf(path.getFileName()), () -> trainsTokens(path)));
  }

  private static void trainsTokens(Path path) {
    try (Model other = TinyModels.open(path);
        Delta delta =
            Lora.rank(1).on("all-linear").tokens(List.of(15, 9)).attach(other, Rng.seeded(1))) {
      Embedding words = other.stacks().getFirst().embeddings().words();
      assertThat(delta.parameters())
          .filteredOn(each -> each.name().endsWith("token_adapter.trainable_tokens_delta"))
          .singleElement()
          .satisfies(
              each -> {
                assertThat(each.name()).startsWith(words.path() + ".");
                assertThat(each.value().shape()).containsExactly(2, words.size());
              });
    } catch (ModelException.Unsupported e) {
      assumeTrue(false, e.getMessage());
    }
  }

  private static float[] table(Model of) {
    return Objects.requireNonNull(of.tensors().get("bert.embeddings.word_embeddings.weight"))
        .toFloats();
  }

  /** PEFT computes a tied head without its bias where tokens are trained. */
  @Test
  void filesOfPeftLoseTheBiasOfATiedHeadAsTheyWereTuned() {
    Lora lora = read("\"trainable_token_indices\": {\"word_embeddings\": [3]}");
    assertThat(lora.headWithoutBias()).isTrue();
    float[] bias = Objects.requireNonNull(model.tensors().get("cls.predictions.bias")).toFloats();
    try (Delta delta = lora.attach(model, Rng.seeded(1))) {
      float[] found = with(delta);
      float[] expected = plain(model);
      for (int i = 0; i < found.length; i++) {
        assertThat(found[i]).isCloseTo(expected[i] - bias[i % bias.length], Offset.offset(1e-4f));
      }
      try (Model merged = delta.merge()) {
        float[] inside = plain(merged);
        for (int i = 0; i < found.length; i++) {
          assertThat(inside[i]).isCloseTo(found[i], Offset.offset(1e-4f));
        }
      }
    }
  }

  @Test
  void withoutATiedHeadOnlyLookedUpRowsAreTouched() {
    try (Model classifier = TinyModels.classifier(directory.resolve("classifier"));
        Delta delta =
            Lora.rank(1).on("query").tokens(List.of(3, 9)).attach(classifier, Rng.seeded(1))) {
      assertThat(delta.parts())
          .anyMatch(part -> part.site().kind() == io.trimtab.model.Patch.Rows.class);
      assertThat(with(delta)).isEqualTo(plain(classifier));
      TinyModels.move(delta, 2);
      float[] tuned = with(delta);
      assertThat(tuned).isNotEqualTo(plain(classifier));
      try (Model merged = delta.merge()) {
        float[] inside = plain(merged);
        for (int i = 0; i < tuned.length; i++) {
          assertThat(inside[i]).isCloseTo(tuned[i], Offset.offset(1e-4f));
        }
      }
    }
  }

  @Test
  void tokensThatAreNotThereAreRefused() {
    assertThatThrownBy(() -> Lora.rank(1).tokens(List.of(40)).attach(model, Rng.seeded(1)))
        .isInstanceOf(DeltaException.class)
        .hasMessageContaining("token 40")
        .hasMessageContaining("0 to 39");
    assertThatThrownBy(() -> Lora.rank(1).tokens(List.of(4, 4)).attach(model, Rng.seeded(1)))
        .isInstanceOf(DeltaException.class)
        .hasMessageContaining("name it once");
    assertThatThrownBy(
            () -> Lora.rank(1).tokens(Map.of("wte", List.of(4))).attach(model, Rng.seeded(1)))
        .isInstanceOf(DeltaException.NoMatch.class)
        .hasMessageContaining("wte");
  }

  @Test
  void aPartOfAFusedLayerLeavesTheOthersAlone() {
    Path path =
        TinyModels.fixtures("hf").stream()
            .filter(each -> each.endsWith("modernbert"))
            .findFirst()
            .orElse(directory);
    assumeTrue(Files.exists(path.resolve("config.json")), "no modernbert at trimtab.fixtures");
    try (Model fused = TinyModels.open(path);
        Delta delta = Lora.rank(2).on("Wqkv").onParts("q", "v").attach(fused, Rng.seeded(1))) {
      assertThat(with(delta)).isEqualTo(plain(fused));
      TinyModels.move(delta, 2);
      float[] tuned = with(delta);
      String name = delta.baseTensors().iterator().next();
      try (Model merged = delta.merge()) {
        float[] before = Objects.requireNonNull(fused.tensors().get(name)).toFloats();
        float[] after = Objects.requireNonNull(merged.tensors().get(name)).toFloats();
        int third = before.length / 3;
        for (int part = 0; part < 3; part++) {
          boolean same =
              Arrays.equals(
                  before,
                  part * third,
                  (part + 1) * third,
                  after,
                  part * third,
                  (part + 1) * third);
          assertThat(same).as("part %d", part).isEqualTo(part == 1);
        }
      }
      DeltaFiles.save(delta, directory.resolve("saved"));
      try (Delta read = DeltaFiles.load(directory.resolve("saved"), fused)) {
        assertThat(((Lora) read.spec()).scaling().rank()).isEqualTo(4);
        float[] found = with(read);
        for (int i = 0; i < tuned.length; i++) {
          assertThat(found[i]).isCloseTo(tuned[i], Offset.offset(1e-4f));
        }
      }
    }
    assertThatThrownBy(() -> Lora.rank(2).on("query").onParts("q").attach(model, Rng.seeded(1)))
        .isInstanceOf(DeltaException.Unsupported.class)
        .hasMessageContaining("self.query")
        .hasMessageContaining("Wqkv");
  }

  @Test
  void optionsAreReadAsTyped() {
    Map<String, String> typed = new LinkedHashMap<>();
    typed.put("rank", "4");
    typed.put("dora", "true");
    typed.put("rslora", "true");
    typed.put("start", "olora");
    typed.put("plus", "16");
    typed.put("train", "b");
    typed.put("tokens", "5, 17");
    typed.put("ranks", "query:2,layer.1.attention.self.value:3");
    typed.put("alphas", "value:2.5");
    typed.put("save", "transform.dense");
    Lora expected =
        Lora.rank(4)
            .dora(true)
            .rankStabilised(true)
            .start(Starts.OLORA)
            .plus(16)
            .training(Lora.Trained.B)
            .tokens(List.of(5, 17))
            .patterns(Map.of("query", 2, "layer.1.attention.self.value", 3), Map.of("value", 2.5))
            .saving("transform.dense");
    assertThat(method.fromOptions(typed, model)).isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource({
    "start, loftq, loftq",
    "train, c, train=c",
    "part, x, part \"x\"",
    "tokens, a, a whole number",
    "ranks, query, NAME:VALUE",
    "ranks, query:x, a whole number",
    "alphas, query:y, a number",
    "dora, yes, true or false",
    "plus, -1, 16 is usual",
    "bias, some, lora_only"
  })
  void optionsThatMakeNoSenseAreRefused(String key, String value, String said) {
    assertThatThrownBy(() -> method.fromOptions(Map.of(key, value), model))
        .isInstanceOf(DeltaException.class)
        .hasMessageContaining(said);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "\"use_qalora\": true; use_qalora",
        "\"target_parameters\": [\"a\"]; target_parameters",
        "\"alora_invocation_tokens\": [1]; alora_invocation_tokens",
        "\"init_lora_weights\": \"loftq\"; init_lora_weights=loftq",
        "\"init_lora_weights\": \"pissa_niter_4\"; init_lora_weights=pissa_niter_4",
        "\"ensure_weight_tying\": true; ensure_weight_tying"
      })
  void fieldsThatAreNotComputedAreRefusedByName(String field, String said) {
    assertThatThrownBy(() -> read(field))
        .isInstanceOf(DeltaException.Unsupported.class)
        .hasMessageContaining(said);
  }

  @Test
  void fieldsThatChangeNothingHereAreRead() {
    Lora plain = read("\"r\": 8");
    assertThat(read("\"init_lora_weights\": \"eva\"")).isEqualTo(plain);
    assertThat(read("\"init_lora_weights\": \"pissa\"")).isEqualTo(plain.start(Starts.PISSA));
  }
}
