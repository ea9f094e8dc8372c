package io.trimtab.hub.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.trimtab.hub.Hub;
import io.trimtab.hub.HubException;
import io.trimtab.hub.ModelConfig;
import io.trimtab.hub.ModelDirectory;
import io.trimtab.hub.TensorFile;
import io.trimtab.hub.blocks.BlockFormat;
import io.trimtab.hub.blocks.QuantizedTensor;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Tiny models of all architectures that GGUF files can hold, written and read again. That llama.cpp
 * agrees is shown by {@code bench/interop/check gguf}.
 */
class GgufExportTest {
  /** What files do not say, or llama.cpp does not know; the model does not depend on it. */
  private static final Set<String> UNSAID =
      Set.of(
          "transformers_version",
          "use_cache",
          "initializer_range",
          "attention_dropout",
          "pretraining_tp",
          "pad_token_id",
          "bos_token_id",
          "eos_token_id",
          "layer_types",
          "max_window_layers",
          "output_router_logits",
          "router_aux_loss_coef",
          "router_jitter_noise",
          "embd_pdrop",
          "resid_pdrop",
          "attn_pdrop",
          "hidden_dropout",
          "classifier_dropout",
          "is_decoder",
          "use_bidirectional_attention",
          "_sliding_window_pattern",
          "head_dim",
          "add_cross_attention",
          "reorder_and_upcast_attn",
          "scale_attn_by_inverse_layer_idx",
          "scale_attn_weights",
          "summary_activation",
          "summary_first_dropout",
          "summary_proj_to_labels",
          "summary_type",
          "summary_use_proj",
          "no_rope_layer_interval",
          "original_max_position_embeddings");

  @TempDir Path directory;

  static Stream<Path> models() throws IOException {
    Path recorded = Path.of(System.getProperty("trimtab.fixtures", "none"), "hf");
    if (!Files.isDirectory(recorded)) {
      return Stream.of(Path.of("nothing recorded at -Dtrimtab.fixtures"));
    }
    try (Stream<Path> folders = Files.list(recorded)) {
      return folders.filter(GgufExportTest::hasGgufForm).sorted().toList().stream();
    }
  }

  private static boolean hasGgufForm(Path folder) {
    ModelConfig config = ModelConfig.read(folder.resolve("config.json"));
    try {
      GgufArchitecture.of(config);
      // The head of masked language models and llama.cpp's fixed interval are refused, see below.
      return !config.modelType().equals("bert") && !config.modelType().equals("smollm3");
    } catch (HubException.Unsupported e) {
      return false;
    }
  }

  @ParameterizedTest(allowZeroInvocations = true)
  @MethodSource("models")
  void comesBackAsItWas(Path folder) {
    assumeThat(folder).isDirectory();
    ModelDirectory before = ModelDirectory.of(folder);
    Path file = directory.resolve("model.gguf");
    GgufExport.write(before, BlockFormat.F32, file);
    ModelDirectory after = Hub.open(file.toString());
    assertSameConfig(before.config(), after.config());
    try (TensorFile here = before.tensors();
        TensorFile there = after.tensors()) {
      assertThat(there.names()).containsExactlyInAnyOrderElementsOf(here.names());
      for (String name : here.names()) {
        assertThat(there.info(name)).isEqualTo(here.info(name));
        float[] expected = floats(here.bytes(name));
        float[] found = floats(there.bytes(name));
        assertThat(found).hasSameSizeAs(expected);
        for (int i = 0; i < found.length; i++) {
          // Gemma's norms lose a bit by plus and minus one; all else is exact.
          float allowed = folder.endsWith("gemma2") || folder.endsWith("gemma3") ? 2e-7f : 0;
          assertThat(found[i]).as(name).isEqualTo(expected[i], within(allowed));
        }
        assertThat(there.quantized(name)).isEmpty();
      }
    }
  }

  @ParameterizedTest(allowZeroInvocations = true)
  @MethodSource("models")
  void packsMatrices(Path folder) {
    assumeThat(folder).isDirectory();
    ModelDirectory before = ModelDirectory.of(folder);
    Path file = directory.resolve("model.gguf");
    int packed = 0;
    for (BlockFormat format : List.of(BlockFormat.Q8_0, BlockFormat.Q4_0, BlockFormat.Q4_1)) {
      GgufExport.write(before, format, file);
      try (TensorFile here = before.tensors();
          TensorFile there = ModelDirectory.of(file).tensors()) {
        assertThat(there.names()).containsExactlyInAnyOrderElementsOf(here.names());
        for (String name : here.names()) {
          float[] exact = floats(here.bytes(name));
          MemorySegment bytes = there.bytes(name);
          float[] near =
              switch (there.info(name).dtype()) {
                case F16 -> unpacked(BlockFormat.F16, bytes);
                default -> floats(bytes);
              };
          double largest = 0;
          for (float value : exact) {
            largest = Math.max(largest, Math.abs(value));
          }
          for (int i = 0; i < exact.length; i++) {
            assertThat((double) near[i]).as(name).isEqualTo(exact[i], within(largest / 7 + 1e-6));
          }
          if (there.quantized(name).isPresent()) {
            packed++;
            QuantizedTensor blocks = there.quantized(name).get();
            assertThat(blocks.format()).isEqualTo(format);
            assertThat(unpacked(format, blocks.blocks())).isEqualTo(near);
            there.release(name);
            assertThat(floats(there.bytes(name))).isEqualTo(near);
          }
        }
      }
    }
    if (!folder.endsWith("gpt2")) {
      assertThat(packed).isPositive();
    }
  }

  @Test
  void refusesWhatGgufCannotSay() {
    Path recorded = Path.of(System.getProperty("trimtab.fixtures", "none"), "hf");
    for (String model : List.of("smollm3", "bert", "t5", "llama")) {
      assumeThat(recorded.resolve(model)).isDirectory();
    }
    Path file = directory.resolve("no.gguf");
    assertThatThrownBy(
            () ->
                GgufExport.write(
                    ModelDirectory.of(recorded.resolve("smollm3")), BlockFormat.F32, file))
        .isInstanceOf(HubException.Unsupported.class)
        .hasMessageContaining("no_rope_layers");
    assertThatThrownBy(
            () ->
                GgufExport.write(
                    ModelDirectory.of(recorded.resolve("bert")), BlockFormat.F32, file))
        .isInstanceOf(HubException.Unsupported.class)
        .hasMessageContaining("tensors of the model have no place");
    assertThatThrownBy(
            () ->
                GgufExport.write(ModelDirectory.of(recorded.resolve("t5")), BlockFormat.F32, file))
        .isInstanceOf(HubException.Unsupported.class)
        .hasMessageContaining("models of type t5");
    assertThatThrownBy(
            () ->
                GgufExport.write(
                    ModelDirectory.of(recorded.resolve("llama")), BlockFormat.Q6_K, file))
        .isInstanceOf(HubException.Unsupported.class)
        .hasMessageContaining("Q6_K can be read and not written");
    assertThat(file).doesNotExist();
  }

  private static void assertSameConfig(ModelConfig expected, ModelConfig found) {
    for (String field : expected.fields()) {
      if (UNSAID.contains(field) && !(field.equals("layer_types") && found.has(field))) {
        continue;
      }
      ModelConfig one = only(expected, field);
      ModelConfig other = only(found, field);
      if (field.equals("model_type") || field.equals("architectures")) {
        one =
            ModelConfig.parse(
                one.json().replace("mistral", "llama").replace("Mistral", "Llama"), one.path());
      } else if (field.equals("sliding_window") && !found.has("sliding_window")) {
        continue; // see max_position_embeddings
      } else if (field.equals("max_position_embeddings")
          && expected.modelType().equals("mistral")) {
        assertThat(found.integer(field)).isEqualTo(expected.integer("sliding_window"));
        continue;
      }
      assertThat(sorted(other)).as(field).isEqualTo(sorted(one));
    }
  }

  static ModelConfig only(ModelConfig config, String field) {
    var fields = new java.util.TreeMap<String, Object>();
    String json = config.json();
    ModelConfig again = ModelConfig.parse(json, config.path());
    if (again.has(field)) {
      for (String each : again.fields()) {
        if (each.equals(field)) {
          fields.put(field, value(again, field));
        }
      }
    }
    return ModelConfig.of(java.util.Map.copyOf(fields), config.path());
  }

  private static Object value(ModelConfig config, String field) {
    if (config.isText(field)) {
      return config.text(field);
    }
    if (config.isNumber(field)) {
      return config.decimal(field);
    }
    if (config.isList(field)) {
      return config.json().replaceAll("(?s).*\"" + field + "\": (\\[[^]]*]).*", "$1");
    }
    return config.json().contains("\"" + field + "\": {")
        ? sorted(config.section(field))
        : config.flag(field);
  }

  static String sorted(ModelConfig config) {
    var fields = new java.util.TreeMap<String, String>();
    for (String field : config.fields()) {
      if (config.has(field)) {
        fields.put(field, String.valueOf(value(config, field)));
      }
    }
    return fields.toString();
  }

  private static float[] unpacked(BlockFormat format, MemorySegment blocks) {
    long count = blocks.byteSize() / format.bytesPerBlock() * format.blockSize();
    float[] out = new float[(int) count];
    format.dequantize(blocks, MemorySegment.ofArray(out));
    return out;
  }

  private static float[] floats(MemorySegment bytes) {
    return bytes.toArray(ValueLayout.JAVA_FLOAT_UNALIGNED);
  }
}
