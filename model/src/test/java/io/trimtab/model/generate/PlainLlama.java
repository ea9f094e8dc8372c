package io.trimtab.model.generate;

import io.trimtab.hub.ModelConfig;
import io.trimtab.hub.Safetensors;
import io.trimtab.hub.TensorData;
import io.trimtab.model.Model;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/** A Llama of one layer to which all words are alike. */
final class PlainLlama {
  private PlainLlama() {}

  /** Writes one of so many words into a folder and opens it. */
  static Model write(Path folder, int words) throws IOException {
    Files.writeString(
        folder.resolve("config.json"),
        """
        {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "vocab_size": %d,
         "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1,
         "num_key_value_heads": 1, "intermediate_size": 8, "hidden_act": "silu",
         "max_position_embeddings": 32, "rms_norm_eps": 1e-6, "tie_word_embeddings": true}
        """
            .formatted(words));
    SequencedMap<String, TensorData> all = new LinkedHashMap<>();
    all.put("model.embed_tokens.weight", ones(words, 8));
    String layer = "model.layers.0.";
    for (String part : List.of("q_proj", "k_proj", "v_proj", "o_proj")) {
      all.put(layer + "self_attn." + part + ".weight", ones(8, 8));
    }
    for (String part : List.of("gate_proj", "up_proj", "down_proj")) {
      all.put(layer + "mlp." + part + ".weight", ones(8, 8));
    }
    all.put(layer + "input_layernorm.weight", ones(8));
    all.put(layer + "post_attention_layernorm.weight", ones(8));
    all.put("model.norm.weight", ones(8));
    Path file = folder.resolve("model.safetensors");
    Safetensors.write(file, all, Map.of());
    return Model.build(
        "plain",
        ModelConfig.read(folder.resolve("config.json")),
        Safetensors.open(file),
        DType.F32,
        Device.CPU);
  }

  private static TensorData ones(long... shape) {
    float[] values = new float[(int) Arrays.stream(shape).reduce(1, (a, b) -> a * b)];
    Arrays.fill(values, 1);
    return new TensorData(DType.F32, shape, MemorySegment.ofArray(values));
  }
}
