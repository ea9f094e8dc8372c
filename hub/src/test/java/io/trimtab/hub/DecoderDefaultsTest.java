package io.trimtab.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What configurations of transformers' classes say when they are given sizes alone. */
class DecoderDefaultsTest {
  @ParameterizedTest
  @CsvSource({
    "llama,       16,    1e-6, 10000,   1,    false, 4",
    "mistral,     8,     1e-6, 10000,   1,    false, 4",
    "mixtral,     8,     1e-5, 1000000, 1,    false, 4",
    "qwen2,       32,    1e-6, 10000,   1,    false, 4",
    "qwen3,       32,    1e-6, 10000,   1,    false, 128",
    "olmo2,       16,    1e-5, 10000,   1,    false, 4",
    "phi3,        16,    1e-5, 10000,   1,    false, 4",
    "smollm3,     4,     1e-6, 2000000, 1,    true,  4",
    "gemma,       16,    1e-6, 10000,   1,    true,  256",
    "gemma2,      4,     1e-6, 10000,   1,    true,  256",
  })
  void fillsWhatIsNotSaid(
      String type, int keyHeads, double eps, double theta, double share, boolean tied, int size) {
    ModelConfig config = complete(type, "");
    assertThat(config.integer("num_key_value_heads")).isEqualTo(keyHeads);
    assertThat(config.decimal("rms_norm_eps")).isEqualTo(eps);
    assertThat(config.flag("tie_word_embeddings")).isEqualTo(tied);
    assertThat(config.integer("head_dim")).isEqualTo(size);
    ModelConfig rope = config.section("rope_parameters");
    assertThat(rope.text("rope_type")).isEqualTo("default");
    assertThat(rope.decimal("rope_theta")).isEqualTo(theta);
    assertThat(rope.decimal("partial_rotary_factor")).isEqualTo(share);
    assertThat(DecoderDefaults.complete(config).json()).isEqualTo(config.json());
  }

  @Test
  void whatIsSaidStays() {
    ModelConfig config =
        complete("qwen3", "\"num_key_value_heads\": 2, \"head_dim\": 8, \"rope_theta\": 5e5");
    assertThat(config.integer("num_key_value_heads")).isEqualTo(2);
    assertThat(config.integer("head_dim")).isEqualTo(8);
    assertThat(config.section("rope_parameters").decimal("rope_theta")).isEqualTo(5e5);
  }

  @Test
  void aQuarterOfEachHeadOfNeoXTurns() {
    ModelConfig rope = complete("gpt_neox", "").section("rope_parameters");
    assertThat(rope.decimal("partial_rotary_factor")).isEqualTo(0.25);
    rope = complete("gpt_neox", "\"rotary_pct\": 0.5").section("rope_parameters");
    assertThat(rope.decimal("partial_rotary_factor")).isEqualTo(0.5);
  }

  @Test
  void nullIsNoWindowAndNoLimit() {
    ModelConfig silent = complete("gemma2", "");
    assertThat(silent.decimal("attn_logit_softcapping")).isEqualTo(50);
    assertThat(silent.decimal("final_logit_softcapping")).isEqualTo(30);
    assertThat(silent.integer("sliding_window")).isEqualTo(4096);
    ModelConfig none =
        complete(
            "gemma2",
            "\"attn_logit_softcapping\": null, \"final_logit_softcapping\": null,"
                + " \"sliding_window\": null, \"query_pre_attn_scalar\": null");
    assertThat(none.has("attn_logit_softcapping")).isFalse();
    assertThat(none.has("final_logit_softcapping")).isFalse();
    assertThat(none.has("sliding_window")).isFalse();
    assertThat(none.decimal("query_pre_attn_scalar")).isEqualTo(256);
    assertThat(complete("mistral", "").integer("sliding_window")).isEqualTo(4096);
    assertThat(complete("mistral", "\"sliding_window\": null").has("sliding_window")).isFalse();
  }

  @Test
  void kindsOfLayersFollowTheirPattern() {
    String full = "full_attention";
    String window = "sliding_attention";
    assertThat(complete("gemma2", "").texts("layer_types"))
        .containsExactly(window, full, window, full);
    assertThat(complete("gemma3_text", "").texts("layer_types")).containsOnly(window);
    assertThat(complete("gemma3_text", "\"sliding_window_pattern\": 3").texts("layer_types"))
        .containsExactly(window, window, full, window);
    assertThatThrownBy(() -> complete("gemma3_text", "\"sliding_window_pattern\": 0"))
        .isInstanceOf(HubException.Malformed.class)
        .hasMessageContaining("sliding_window_pattern: expected at least 1, found 0");
    assertThat(complete("smollm3", "").integers("no_rope_layers")).containsExactly(1, 1, 1, 0);
  }

  @Test
  void gemma3HasTwoKindsOfPositions() {
    ModelConfig silent = complete("gemma3_text", "").section("rope_parameters");
    assertThat(silent.section("full_attention").decimal("rope_theta")).isEqualTo(1e6);
    assertThat(silent.section("sliding_attention").decimal("rope_theta")).isEqualTo(1e4);
    ModelConfig old =
        complete(
                "gemma3_text",
                "\"rope_theta\": 3e5, \"rope_local_base_freq\": 7e3,"
                    + " \"rope_scaling\": {\"rope_type\": \"linear\", \"factor\": 8}")
            .section("rope_parameters");
    assertThat(old.section("full_attention").decimal("rope_theta")).isEqualTo(3e5);
    assertThat(old.section("full_attention").text("rope_type")).isEqualTo("linear");
    assertThat(old.section("sliding_attention").decimal("rope_theta")).isEqualTo(7e3);
    assertThat(old.section("sliding_attention").text("rope_type")).isEqualTo("default");
  }

  @Test
  void theNewSpellingCounts() {
    ModelConfig rope =
        complete(
                "llama",
                "\"rope_parameters\": {\"rope_type\": \"linear\", \"factor\": 2, \"rope_theta\":"
                    + " 9}, \"rope_scaling\": {\"type\": \"dynamic\", \"factor\": 4},"
                    + " \"rope_theta\": 8")
            .section("rope_parameters");
    assertThat(rope.text("rope_type")).isEqualTo("linear");
    assertThat(rope.decimal("factor")).isEqualTo(2);
    assertThat(rope.decimal("rope_theta")).isEqualTo(9);
  }

  @Test
  void longRowsAreDescribedWhole() {
    String factors = "\"short_factor\": [1, 1], \"long_factor\": [2, 2]";
    for (String type : List.of("longrope", "su", "yarn")) {
      ModelConfig rope =
          complete(
                  "phi3",
                  "\"original_max_position_embeddings\": 16, \"rope_scaling\": {\"type\": \""
                      + type
                      + "\", "
                      + factors
                      + "}")
              .section("rope_parameters");
      assertThat(rope.text("rope_type")).isEqualTo("longrope");
      assertThat(rope.integer("original_max_position_embeddings")).isEqualTo(16);
      assertThat(rope.decimal("attention_factor"))
          .isCloseTo(Math.sqrt(1 + Math.log(4) / Math.log(16)), within(1e-12));
    }
    ModelConfig yarn =
        complete("llama", "\"rope_scaling\": {\"rope_type\": \"yarn\", \"factor\": 4}")
            .section("rope_parameters");
    assertThat(yarn.integer("original_max_position_embeddings")).isEqualTo(64);
    assertThat(yarn.decimal("attention_factor")).isCloseTo(1 + 0.1 * Math.log(4), within(1e-12));
  }

  @Test
  void gpt2GoesByTwoSetsOfNames() {
    ModelConfig config = complete("gpt2", "");
    assertThat(config.integer("n_head")).isEqualTo(16);
    assertThat(config.integer("n_embd")).isEqualTo(64);
    assertThat(config.integer("n_layer")).isEqualTo(4);
    assertThat(config.integer("n_positions")).isEqualTo(64);
  }

  @ParameterizedTest
  @ValueSource(strings = {"bert", "t5", "nothing"})
  void otherModelsStayAsTheyAre(String type) {
    ModelConfig config = config(type, "");
    assertThat(DecoderDefaults.complete(config)).isSameAs(config);
  }

  private static ModelConfig complete(String type, String more) {
    return DecoderDefaults.complete(config(type, more));
  }

  private static ModelConfig config(String type, String more) {
    String json =
        """
        {"model_type": "%s", "hidden_size": 64, "num_attention_heads": 16, "num_hidden_layers": 4,
         "max_position_embeddings": 64%s}
        """
            .formatted(type, more.isEmpty() ? "" : ", " + more);
    return ModelConfig.parse(json, Path.of("config.json"));
  }
}
