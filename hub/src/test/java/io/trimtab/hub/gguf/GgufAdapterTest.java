package io.trimtab.hub.gguf;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trimtab.hub.HubException;
import io.trimtab.hub.ModelConfig;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GgufAdapterTest {
  private static final ModelConfig LLAMA =
      ModelConfig.parse(
          """
          {"model_type": "llama", "num_attention_heads": 2, "num_key_value_heads": 1,
           "tie_word_embeddings": true}
          """,
          Path.of("config.json"));
  private static final String QUERY = "model.layers.3.self_attn.q_proj";
  private static final String DOWN = "model.layers.3.mlp.down_proj";

  @TempDir Path directory;

  @Test
  void comesBackAsItWas() {
    SequencedMap<String, GgufAdapter.Pair> layers = new LinkedHashMap<>();
    layers.put(QUERY, pair(2, 3, 8));
    layers.put(DOWN, pair(4, 5, 3));
    Path file = directory.resolve("adapter.gguf");
    new GgufAdapter(16, layers).write(LLAMA, file);
    GgufAdapter read = GgufAdapter.read(file, LLAMA);
    assertThat(read.alpha()).isEqualTo(16);
    assertThat(read.layers()).containsOnlyKeys(QUERY, DOWN);
    layers.forEach(
        (path, pair) -> {
          GgufAdapter.Pair found = requireNonNull(read.layers().get(path));
          assertThat(found.rank()).isEqualTo(pair.rank());
          assertThat(found.down()).isEqualTo(pair.down());
          assertThat(found.up()).isEqualTo(pair.up());
        });
    try (GgufFile raw = GgufFile.open(file)) {
      assertThat(raw.metadata().text("general.type")).isEqualTo("adapter");
      GgufTensor up = requireNonNull(raw.tensors().get("blk.3.attn_q.weight.lora_b"));
      assertThat(up.shape()).containsExactly(8, 2);
      float[] rows = new float[16];
      up.format().dequantize(up.blocks(), java.lang.foreign.MemorySegment.ofArray(rows));
      // Of the first head's four rows, the third comes second: neighbours turn together.
      float[] given = requireNonNull(layers.get(QUERY)).up();
      assertThat(rows[2]).isEqualTo(given[4]);
      assertThat(rows[4]).isEqualTo(given[2]);
    }
  }

  /** Scales of rsLoRA and of patterns become one alpha, the rest goes into B. */
  @Test
  void oneAlphaServesLayersOfDifferentScales() {
    SequencedMap<String, GgufAdapter.Pair> layers = new LinkedHashMap<>();
    layers.put(QUERY, pair(2, 3, 8));
    layers.put(DOWN, pair(4, 5, 3));
    Map<String, Double> scales = Map.of(QUERY, 8 / Math.sqrt(2), DOWN, 8 / Math.sqrt(4));
    GgufAdapter adapter = GgufAdapter.scaled(layers, scales);
    assertThat(adapter.alpha())
        .isCloseTo(8 * Math.sqrt(2), org.assertj.core.data.Offset.offset(1e-12));
    adapter
        .layers()
        .forEach(
            (path, pair) -> {
              GgufAdapter.Pair given = requireNonNull(layers.get(path));
              for (int i = 0; i < given.up().length; i++) {
                double product = adapter.alpha() / pair.rank() * pair.up()[i];
                double expected = requireNonNull(scales.get(path)) * given.up()[i];
                assertThat(product)
                    .isCloseTo(
                        expected,
                        org.assertj.core.data.Offset.offset(1e-7 * (1 + Math.abs(expected))));
              }
            });
  }

  /** llama.cpp scales by alpha over rank, and not at all where there is no alpha. */
  @Test
  void noAlphaIsNoScale() {
    SequencedMap<String, GgufAdapter.Pair> layers = new LinkedHashMap<>();
    layers.put(QUERY, pair(2, 3, 8));
    layers.put(DOWN, pair(4, 5, 3));
    Path file = directory.resolve("adapter.gguf");
    new GgufAdapter(16, layers).write(LLAMA, file);
    for (Map<String, GgufValue> alpha :
        java.util.List.of(
            Map.of("adapter.lora.alpha", GgufValue.real(0)), Map.<String, GgufValue>of())) {
      SequencedMap<String, GgufValue> metadata = new LinkedHashMap<>();
      SequencedMap<String, GgufWriter.Source> tensors = new LinkedHashMap<>();
      try (GgufFile raw = GgufFile.open(file)) {
        metadata.putAll(raw.metadata().values());
        raw.tensors()
            .forEach(
                (name, tensor) -> tensors.put(name, new Floats(tensor.floats(), tensor.shape())));
      }
      metadata.remove("adapter.lora.alpha");
      metadata.putAll(alpha);
      GgufWriter.write(file, metadata, tensors);
      GgufAdapter read = GgufAdapter.read(file, LLAMA);
      read.layers()
          .forEach(
              (path, pair) -> {
                GgufAdapter.Pair given = requireNonNull(layers.get(path));
                for (int i = 0; i < given.up().length; i++) {
                  assertThat(read.alpha() / pair.rank() * pair.up()[i]).isEqualTo(given.up()[i]);
                }
              });
    }
  }

  @Test
  void aScaleOfZeroIsSaidByMatrices() {
    SequencedMap<String, GgufAdapter.Pair> layers = new LinkedHashMap<>();
    layers.put(QUERY, pair(2, 3, 8));
    layers.put(DOWN, pair(4, 5, 3));
    Path file = directory.resolve("adapter.gguf");
    new GgufAdapter(0, layers).write(LLAMA, file);
    GgufAdapter read = GgufAdapter.read(file, LLAMA);
    assertThat(read.alpha()).isNotZero();
    read.layers().values().forEach(pair -> assertThat(pair.up()).containsOnly(0));
    GgufAdapter mixed = GgufAdapter.scaled(layers, Map.of(QUERY, 0.0, DOWN, 3.0));
    assertThat(mixed.alpha()).isEqualTo(12);
    assertThat(requireNonNull(mixed.layers().get(QUERY)).up()).containsOnly(0);
    assertThat(requireNonNull(mixed.layers().get(DOWN)).up())
        .isEqualTo(requireNonNull(layers.get(DOWN)).up());
  }

  @Test
  void refusesWhatAdaptersCannotHold() {
    Path file = directory.resolve("adapter.gguf");
    for (String path :
        new String[] {"model.embed_tokens", "lm_head", "model.norm", "model.layers.0.nothing"}) {
      SequencedMap<String, GgufAdapter.Pair> layers = new LinkedHashMap<>();
      layers.put(path, pair(2, 3, 8));
      assertThatThrownBy(() -> new GgufAdapter(16, layers).write(LLAMA, file))
          .isInstanceOf(HubException.Unsupported.class)
          .hasMessageContaining("no place for matrices at " + path);
    }
    assertThat(file).doesNotExist();
    SequencedMap<String, GgufAdapter.Pair> layers = new LinkedHashMap<>();
    layers.put(QUERY, pair(2, 3, 8));
    new GgufAdapter(16, layers).write(LLAMA, file);
    ModelConfig qwen =
        ModelConfig.parse(
            "{\"model_type\": \"qwen2\", \"num_attention_heads\": 2}", Path.of("config.json"));
    assertThatThrownBy(() -> GgufAdapter.read(file, qwen))
        .isInstanceOf(HubException.Unsupported.class)
        .hasMessageContaining("found general.architecture llama, expected qwen2");
  }

  private static GgufAdapter.Pair pair(int rank, int in, int out) {
    float[] down = new float[rank * in];
    float[] up = new float[out * rank];
    for (int i = 0; i < down.length; i++) {
      down[i] = i + 1;
    }
    for (int i = 0; i < up.length; i++) {
      up[i] = 100 + i;
    }
    return new GgufAdapter.Pair(rank, down, up);
  }
}
