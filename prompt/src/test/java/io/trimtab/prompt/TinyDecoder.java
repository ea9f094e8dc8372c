package io.trimtab.prompt;

import io.trimtab.hub.ChatTemplates;
import io.trimtab.hub.ModelDirectory;
import io.trimtab.hub.Safetensors;
import io.trimtab.hub.TensorData;
import io.trimtab.hub.Tokenizer;
import io.trimtab.model.LanguageModel;
import io.trimtab.model.Models;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
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

/** Llamas of one or two layers with random weights. */
final class TinyDecoder {
  private static final int HIDDEN = 32;
  private static final int INNER = 48;

  /** Frames every message as BERT frames a text; the mark after it ends texts. */
  static final String TEMPLATE =
      "{% for m in messages %}[CLS] {{ m['role'][0] }} : {{ m['content'] }} [SEP] {% endfor %}"
          + "{% if add_generation_prompt %}[CLS] a : {% endif %}";

  private TinyDecoder() {}

  static ChatTemplates templates(String source) {
    return new ChatTemplates(Map.of("default", source), Map.of());
  }

  /** One of 96 words with a tokenizer of them and a chat template; {@code [SEP]} ends texts. */
  static Path ofWords(Path parent, long seed) throws IOException {
    Path directory = Files.createDirectories(parent.resolve("tiny-decoder-" + seed));
    try (InputStream words =
        Objects.requireNonNull(TinyDecoder.class.getResourceAsStream("vocab.txt"), "vocab.txt")) {
      Files.write(directory.resolve("vocab.txt"), words.readAllBytes());
    }
    Files.writeString(directory.resolve("chat_template.jinja"), TEMPLATE);
    write(directory, 96, 64, 3, seed);
    return directory;
  }

  static LanguageModel open(Path directory) {
    return Models.open(directory.toString(), ModelDirectory.of(directory), DType.F32, Device.CPU);
  }

  /** One for a tokenizer of the caller's. */
  static LanguageModel of(Path parent, Tokenizer tokenizer, int positions) throws IOException {
    Path directory = Files.createDirectories(parent.resolve("tiny-decoder-bytes"));
    write(directory, 300, positions, 2, 1);
    Files.writeString(directory.resolve("vocab.txt"), "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n");
    return new LanguageModel(open(directory).model(), tokenizer);
  }

  private static void write(Path directory, int words, int positions, int end, long seed)
      throws IOException {
    Files.writeString(
        directory.resolve("config.json"),
        """
        {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "vocab_size": %d,
         "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
         "num_key_value_heads": 2, "intermediate_size": 48, "hidden_act": "silu",
         "max_position_embeddings": %d, "rms_norm_eps": 1e-6, "tie_word_embeddings": true,
         "eos_token_id": %d}
        """
            .formatted(words, positions, end));
    Random random = new Random(seed);
    SequencedMap<String, TensorData> all = new LinkedHashMap<>();
    weight(all, random, "model.embed_tokens", words, HIDDEN);
    for (int i = 0; i < 2; i++) {
      String layer = "model.layers." + i + ".";
      norm(all, layer + "input_layernorm");
      weight(all, random, layer + "self_attn.q_proj", HIDDEN, HIDDEN);
      weight(all, random, layer + "self_attn.k_proj", HIDDEN / 2, HIDDEN);
      weight(all, random, layer + "self_attn.v_proj", HIDDEN / 2, HIDDEN);
      weight(all, random, layer + "self_attn.o_proj", HIDDEN, HIDDEN);
      norm(all, layer + "post_attention_layernorm");
      weight(all, random, layer + "mlp.gate_proj", INNER, HIDDEN);
      weight(all, random, layer + "mlp.up_proj", INNER, HIDDEN);
      weight(all, random, layer + "mlp.down_proj", HIDDEN, INNER);
    }
    norm(all, "model.norm");
    Safetensors.write(directory.resolve("model.safetensors"), all, Map.of("format", "pt"));
  }

  private static void weight(
      Map<String, TensorData> all, Random random, String name, int rows, int columns) {
    float[] values = new float[rows * columns];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (0.2 * random.nextGaussian());
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
