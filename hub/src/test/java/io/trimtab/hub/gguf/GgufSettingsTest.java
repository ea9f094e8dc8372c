package io.trimtab.hub.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.trimtab.hub.DecoderDefaults;
import io.trimtab.hub.HubException;
import io.trimtab.hub.ModelConfig;
import io.trimtab.hub.ModelDirectory;
import io.trimtab.hub.blocks.BlockFormat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.json.JsonMapper;

/** Settings of tiny models, changed, as GGUF files say them. */
class GgufSettingsTest {
  @TempDir Path directory;

  /** What a configuration leaves unsaid is written as it is read: by one table of defaults. */
  @ParameterizedTest
  @MethodSource("io.trimtab.hub.gguf.GgufExportTest#models")
  void whatIsNotSaidIsWrittenAsItIsRead(Path folder) throws IOException {
    assumeThat(folder).isDirectory();
    List<String> optional =
        List.of(
            "rope_parameters",
            "rms_norm_eps",
            "layer_norm_eps",
            "layer_norm_epsilon",
            "attn_logit_softcapping",
            "final_logit_softcapping",
            "tie_word_embeddings",
            "use_parallel_residual",
            "layer_types",
            "sliding_window");
    ModelDirectory silent = changed(folder, fields -> fields.keySet().removeAll(optional));
    Path file = directory.resolve("silent.gguf");
    GgufExport.write(silent, BlockFormat.F32, file);
    ModelConfig expected = DecoderDefaults.complete(silent.config());
    ModelConfig found = DecoderDefaults.complete(ModelDirectory.of(file).config());
    for (String field : optional) {
      // A checkpoint without a head is tied to llama.cpp, and windows of some go by the context.
      boolean said =
          switch (field) {
            case "tie_word_embeddings" -> expected.flag(field);
            case "sliding_window" -> expected.modelType().startsWith("gemma");
            case "layer_types" -> found.has(field);
            default -> expected.has(field);
          };
      if (said) {
        assertThat(GgufExportTest.sorted(GgufExportTest.only(found, field)))
            .as(field)
            .isEqualTo(GgufExportTest.sorted(GgufExportTest.only(expected, field)));
      }
    }
  }

  /** The same model with another configuration. */
  private ModelDirectory changed(Path folder, Consumer<Map<String, Object>> change)
      throws IOException {
    @SuppressWarnings("unchecked")
    Map<String, Object> fields =
        JsonMapper.shared()
            .readValue(Files.readString(folder.resolve("config.json")), LinkedHashMap.class);
    change.accept(fields);
    Path copy = Files.createTempDirectory(directory, "changed");
    Files.writeString(copy.resolve("config.json"), JsonMapper.shared().writeValueAsString(fields));
    Files.copy(folder.resolve("model.safetensors"), copy.resolve("model.safetensors"));
    return ModelDirectory.of(copy);
  }

  static Stream<Arguments> unsayable() {
    Map<String, Object> rope = Map.of("rope_type", "yarn", "factor", 2, "beta_fast", 16);
    return Stream.of(
        Arguments.of("gemma2", "attn_logit_softcapping", null, "attn_logit_softcapping null"),
        Arguments.of("gemma2", "final_logit_softcapping", null, "final_logit_softcapping null"),
        Arguments.of("gemma2", "sliding_window", null, "sliding_window 0"),
        Arguments.of("gemma3", "attn_logit_softcapping", 20, "attn_logit_softcapping 20"),
        Arguments.of("gemma3", "layer_types", null, "layer_types"),
        Arguments.of("gpt2", "scale_attn_by_inverse_layer_idx", true, "another scale of scores"),
        Arguments.of("llama", "rope_parameters", rope, "type yarn with other bounds"),
        Arguments.of(
            "llama", "rope_parameters", Map.of("partial_rotary_factor", 0.5), "in 4 of 8 values"),
        Arguments.of(
            "llama",
            "rope_parameters",
            Map.of("rope_type", "dynamic", "factor", 2),
            "of type dynamic"));
  }

  @ParameterizedTest
  @MethodSource("unsayable")
  void settingsThatLlamaCppDoesNotKnowAreRefused(
      String model, String field, @Nullable Object value, String expected) throws IOException {
    Path folder = Path.of(System.getProperty("trimtab.fixtures", "none"), "hf", model);
    assumeThat(folder).isDirectory();
    ModelDirectory other =
        changed(
            folder,
            fields -> {
              fields.put(field, value);
              fields.put("sliding_window_pattern", 2);
            });
    Path file = directory.resolve("no.gguf");
    assertThatThrownBy(() -> GgufExport.write(other, BlockFormat.F32, file))
        .isInstanceOf(HubException.Unsupported.class)
        .hasMessageContaining(expected);
    assertThat(file).doesNotExist();
  }

  @ParameterizedTest
  @ValueSource(strings = {"yarn", "longrope", "linear", "llama3"})
  void scaledPositionsComeBack(String type) throws IOException {
    Path folder = Path.of(System.getProperty("trimtab.fixtures", "none"), "hf", "phi3");
    assumeThat(folder).isDirectory();
    Map<String, Object> rope = new LinkedHashMap<>();
    rope.put("rope_type", type);
    rope.put("factor", 4.0);
    rope.put("original_max_position_embeddings", 16);
    switch (type) {
      case "yarn" -> rope.put("attention_factor", 1.5);
      case "llama3" -> rope.putAll(Map.of("low_freq_factor", 1.0, "high_freq_factor", 4.0));
      case "longrope" -> {
        rope.put("short_factor", List.of(1.0, 1.0, 1.5, 2.0));
        rope.put("long_factor", List.of(1.0, 2.0, 3.0, 4.0));
      }
      default -> rope.remove("original_max_position_embeddings");
    }
    // Phi 3 means LongRoPE by "yarn".
    Path other = type.equals("yarn") ? folder.resolveSibling("qwen2") : folder;
    ModelDirectory before = changed(other, fields -> fields.put("rope_parameters", rope));
    Path file = directory.resolve("rope.gguf");
    GgufExport.write(before, BlockFormat.F32, file);
    ModelConfig expected = DecoderDefaults.complete(before.config()).section("rope_parameters");
    ModelConfig found =
        DecoderDefaults.complete(ModelDirectory.of(file).config()).section("rope_parameters");
    for (String field : expected.fields()) {
      if (type.equals("longrope") && field.equals("factor")) {
        continue; // it has served for the attention_factor
      }
      if (expected.isNumber(field)) {
        assertThat(found.decimal(field)).as(field).isCloseTo(expected.decimal(field), within(1e-6));
      } else if (expected.isList(field)) {
        assertThat(found.decimals(field)).as(field).isEqualTo(expected.decimals(field));
      } else {
        assertThat(found.text(field)).isEqualTo(expected.text(field));
      }
    }
  }

  @Test
  void everyTokenThatEndsTextsIsSaid() throws IOException {
    Path folder = Path.of(System.getProperty("trimtab.fixtures", "none"), "hf", "llama");
    assumeThat(folder).isDirectory();
    Path file = directory.resolve("ends.gguf");
    String tokenizer =
        """
        {"pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true,
                           "use_regex": true},
         "model": {"type": "BPE", "vocab": {"a": 0, "b": 1}, "merges": []}}
        """;
    for (List<Integer> ends : List.of(List.of(2), List.of(2, 5), List.of(7, 2, 5))) {
      ModelDirectory before = changed(folder, fields -> fields.put("eos_token_id", ends));
      Files.writeString(before.path().resolve("tokenizer.json"), tokenizer);
      GgufExport.write(before, BlockFormat.F32, file);
      ModelConfig found = ModelDirectory.of(file).config();
      assertThat(
              found.isList("eos_token_id")
                  ? found.integers("eos_token_id")
                  : List.of(found.integer("eos_token_id")))
          .isEqualTo(ends);
    }
  }
}
