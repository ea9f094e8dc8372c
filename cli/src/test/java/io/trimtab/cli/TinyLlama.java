package io.trimtab.cli;

import io.trimtab.hub.Safetensors;
import io.trimtab.hub.TensorData;
import io.trimtab.tensor.DType;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.SequencedMap;

/** A model directory of a Llama of 96 words and one layer with random weights. */
final class TinyLlama {
  private static final int WORDS = 96;
  private static final int HIDDEN = 16;
  private static final int INNER = 24;

  private TinyLlama() {}

  /** Writes a whole model into a new directory below {@code parent}. */
  static Path write(Path parent, long seed) throws IOException {
    Path directory = Files.createDirectories(parent.resolve("tiny-llama-" + seed));
    Files.writeString(
        directory.resolve("config.json"),
        """
        {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "vocab_size": 96,
         "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2,
         "num_key_value_heads": 2, "intermediate_size": 24, "hidden_act": "silu",
         "max_position_embeddings": 40, "rms_norm_eps": 1e-6, "tie_word_embeddings": false}
        """);
    try (InputStream words =
        Objects.requireNonNull(TinyLlama.class.getResourceAsStream("vocab.txt"), "vocab.txt")) {
      Files.write(directory.resolve("vocab.txt"), words.readAllBytes());
    }
    Random random = new Random(seed);
    SequencedMap<String, TensorData> all = new LinkedHashMap<>();
    weight(all, random, "model.embed_tokens", WORDS, HIDDEN);
    String layer = "model.layers.0.";
    norm(all, layer + "input_layernorm");
    for (String part : new String[] {"q_proj", "k_proj", "v_proj", "o_proj"}) {
      weight(all, random, layer + "self_attn." + part, HIDDEN, HIDDEN);
    }
    norm(all, layer + "post_attention_layernorm");
    weight(all, random, layer + "mlp.gate_proj", INNER, HIDDEN);
    weight(all, random, layer + "mlp.up_proj", INNER, HIDDEN);
    weight(all, random, layer + "mlp.down_proj", HIDDEN, INNER);
    norm(all, "model.norm");
    weight(all, random, "lm_head", WORDS, HIDDEN);
    Safetensors.write(directory.resolve("model.safetensors"), all, Map.of("format", "pt"));
    return directory;
  }

  /** Writes a LoRA on the values, far from zero. */
  static Path writeAdapter(Path parent, String base) throws IOException {
    Path directory = Files.createDirectories(parent.resolve("tiny-adapter"));
    Files.writeString(
        directory.resolve("adapter_config.json"),
        """
        {"peft_type": "LORA", "task_type": "CAUSAL_LM", "base_model_name_or_path": "%s",
         "r": 2, "lora_alpha": 4, "lora_dropout": 0.0, "bias": "none",
         "target_modules": ["v_proj"], "inference_mode": true}
        """
            .formatted(base));
    Random random = new Random(3);
    SequencedMap<String, TensorData> all = new LinkedHashMap<>();
    String layer = "base_model.model.model.layers.0.self_attn.v_proj.";
    weight(all, random, layer + "lora_A", 2, HIDDEN);
    weight(all, random, layer + "lora_B", HIDDEN, 2);
    Safetensors.write(directory.resolve("adapter_model.safetensors"), all, Map.of("format", "pt"));
    return directory;
  }

  private static void weight(
      Map<String, TensorData> all, Random random, String name, int rows, int columns) {
    float[] values = new float[rows * columns];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (0.3 * random.nextGaussian());
    }
    all.put(name + ".weight", tensor(values, rows, columns));
  }

  private static void norm(Map<String, TensorData> all, String name) {
    float[] ones = new float[HIDDEN];
    Arrays.fill(ones, 1);
    all.put(name + ".weight", tensor(ones, HIDDEN));
  }

  private static TensorData tensor(float[] values, long... shape) {
    return new TensorData(DType.F32, shape, MemorySegment.ofArray(values));
  }
}
