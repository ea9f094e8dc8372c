package io.trimtab.hub.gguf;

import io.trimtab.hub.HubException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What {@code config.json} would say of a model in a GGUF file. What llama.cpp takes for granted of
 * an architecture, and files therefore do not say, is filled in.
 */
final class GgufConfig {
  /** Gemma's largest models scale scores by the width of the model and not of a head. */
  private static final int GEMMA2_27B_BLOCKS = 46;

  private static final int GEMMA3_27B_BLOCKS = 62;

  private final GgufFile file;
  private final GgufMetadata metadata;
  private final GgufArchitecture architecture;
  private final Map<String, @Nullable Object> config = new LinkedHashMap<>();

  GgufConfig(GgufFile file, GgufArchitecture architecture) {
    this.file = file;
    this.metadata = file.metadata();
    this.architecture = architecture;
  }

  /** The fields. */
  Map<String, @Nullable Object> fields() {
    config.put("model_type", architecture.modelType());
    config.put("architectures", List.of(architecture.hfClass()));
    config.put("vocab_size", rows("token_embd.weight"));
    switch (architecture) {
      case GPT2 -> gpt2();
      case BERT -> bert();
      case GPT_NEOX -> neox();
      default -> decoder();
    }
    if (architecture != GgufArchitecture.BERT) {
      config.put("tie_word_embeddings", !file.tensors().containsKey("output.weight"));
    }
    tokens("bos_token_id", "bos_token_id");
    tokens(
        "eos_token_id",
        "eos_token_id",
        GgufTokenizer.FURTHER_ENDS.get(0),
        GgufTokenizer.FURTHER_ENDS.get(1));
    tokens("pad_token_id", "padding_token_id");
    config.put("dtype", "float32");
    return config;
  }

  private void decoder() {
    sizes();
    int heads = Math.toIntExact(Heads.queries(metadata, architecture));
    int keyHeads = Math.toIntExact(Heads.keys(metadata, architecture));
    int headSize = headSize();
    config.put("num_attention_heads", heads);
    config.put("num_key_value_heads", keyHeads);
    if (architecture != GgufArchitecture.PHI3) {
      config.put("head_dim", headSize);
    }
    config.put("rms_norm_eps", metadata.real(key("attention.layer_norm_rms_epsilon")));
    config.put("rope_parameters", new GgufRope(file, architecture, headSize).parameters());
    switch (architecture) {
      case LLAMA, SMOLLM3 -> {
        config.put("hidden_act", "silu");
        config.put("attention_bias", file.tensors().containsKey("blk.0.attn_q.bias"));
        config.put("mlp_bias", file.tensors().containsKey("blk.0.ffn_up.bias"));
        if (architecture == GgufArchitecture.SMOLLM3) {
          config.put("no_rope_layers", everyFourth(0, 1));
        }
      }
      case MIXTRAL -> {
        config.put("hidden_act", "silu");
        config.put("num_local_experts", count("expert_count"));
        config.put("num_experts_per_tok", count("expert_used_count"));
        config.put("sliding_window", null);
      }
      case GEMMA -> {
        config.put("hidden_act", "gelu_pytorch_tanh");
        config.put("hidden_activation", "gelu_pytorch_tanh");
      }
      case GEMMA2, GEMMA3 -> gemma(heads, headSize);
      case PHI3 -> phi3();
      case QWEN2, QWEN3 -> {
        config.put("hidden_act", "silu");
        config.put("use_sliding_window", false);
        config.put("sliding_window", null);
        if (architecture == GgufArchitecture.QWEN3) {
          config.put("attention_bias", file.tensors().containsKey("blk.0.attn_q.bias"));
        }
      }
      case OLMO2 -> {
        config.put("hidden_act", "silu");
        config.put("attention_bias", false);
        if (metadata.has(key("attention.sliding_window"))) {
          throw new HubException.Unsupported(
              file.path() + ": OLMo models with windows (OLMo 3) are not supported");
        }
      }
      case GPT2, GPT_NEOX, BERT -> throw new AssertionError(architecture);
    }
  }

  private void gemma(int heads, int headSize) {
    boolean third = architecture == GgufArchitecture.GEMMA3;
    int blocks = blocks();
    int width = count("embedding_length");
    boolean largest = blocks == (third ? GEMMA3_27B_BLOCKS : GEMMA2_27B_BLOCKS);
    config.put("query_pre_attn_scalar", largest ? width / heads : headSize);
    config.put("hidden_activation", "gelu_pytorch_tanh");
    config.put("attention_bias", false);
    config.put("attn_logit_softcapping", third ? null : real("attn_logit_softcapping", 50));
    config.put(
        "final_logit_softcapping",
        metadata.has(key("final_logit_softcapping")) || !third
            ? real("final_logit_softcapping", 30)
            : null);
    int window = metadata.count(key("attention.sliding_window"), 0, third ? 0 : 4096);
    config.put("sliding_window", window == 0 ? null : window);
    config.put("layer_types", layerTypes(blocks, window == 0 ? 1 : third ? 6 : 2));
  }

  /** One layer in {@code period} sees all, the others a window. */
  private List<Object> layerTypes(int blocks, int period) {
    String pattern = key("attention.sliding_window_pattern");
    List<Boolean> windows = metadata.isList(pattern) ? metadata.flags(pattern) : List.of();
    if (windows.isEmpty()) {
      int every = metadata.count(pattern, 0, period);
      windows =
          IntStream.range(0, blocks).mapToObj(i -> every == 0 || (i + 1) % every != 0).toList();
    } else if (windows.size() != blocks) {
      throw new HubException.Malformed(
          "%s: metadata %s: expected %d truth values, found %d"
              .formatted(file.path(), pattern, blocks, windows.size()));
    }
    List<Object> types = new ArrayList<>();
    for (boolean window : windows) {
      types.add(window ? "sliding_attention" : "full_attention");
    }
    return types;
  }

  private void phi3() {
    config.put("hidden_act", "silu");
    int window = metadata.count(key("attention.sliding_window"), 0, 0);
    config.put("sliding_window", window == 0 ? null : window);
  }

  private void gpt2() {
    config.put("n_embd", count("embedding_length"));
    config.put("n_layer", blocks());
    config.put("n_head", count("attention.head_count"));
    config.put("n_positions", count("context_length"));
    config.put("n_inner", count("feed_forward_length"));
    config.put("layer_norm_epsilon", metadata.real(key("attention.layer_norm_epsilon")));
    config.put("activation_function", "gelu_new");
  }

  private void neox() {
    sizes();
    config.put("num_attention_heads", count("attention.head_count"));
    config.put("layer_norm_eps", metadata.real(key("attention.layer_norm_epsilon")));
    config.put("hidden_act", "gelu");
    config.put("attention_bias", true);
    config.put("use_parallel_residual", metadata.flag(key("use_parallel_residual"), true));
    config.put("rope_parameters", new GgufRope(file, architecture, headSize()).parameters());
  }

  private void bert() {
    sizes();
    config.put("num_attention_heads", count("attention.head_count"));
    config.put("layer_norm_eps", metadata.real(key("attention.layer_norm_epsilon")));
    config.put("hidden_act", "gelu");
    config.put("position_embedding_type", "absolute");
    config.put("type_vocab_size", rows("token_types.weight"));
  }

  private void sizes() {
    config.put("hidden_size", count("embedding_length"));
    config.put("intermediate_size", count("feed_forward_length"));
    config.put("num_hidden_layers", blocks());
    config.put("max_position_embeddings", count("context_length"));
  }

  private int headSize() {
    int size =
        metadata.has(key("attention.key_length"))
            ? count("attention.key_length")
            : Math.toIntExact(count("embedding_length") / Heads.queries(metadata, architecture));
    if (size < 1) {
      throw new HubException.Malformed(file.path() + ": has more heads than numbers to divide");
    }
    if (metadata.has(key("attention.value_length")) && count("attention.value_length") != size) {
      throw new HubException.Unsupported(
          file.path() + ": heads of keys and values differ in size, which is not supported");
    }
    return size;
  }

  /** The number of blocks; each has tensors, so that a number beyond these is a lie. */
  private int blocks() {
    int blocks = count("block_count");
    if (blocks > file.tensors().size()) {
      throw new HubException.Malformed(
          "%s: has %d tensors for %d blocks; expected some for each"
              .formatted(file.path(), file.tensors().size(), blocks));
    }
    return blocks;
  }

  /** Ones, but {@code last} for every fourth layer. */
  private List<Object> everyFourth(int last, int others) {
    return IntStream.range(0, blocks())
        .<Object>mapToObj(i -> (i + 1) % 4 == 0 ? last : others)
        .toList();
  }

  private double real(String name, double fallback) {
    return metadata.real(key(name), fallback);
  }

  private int count(String name) {
    return Math.toIntExact(Heads.uniform(metadata, key(name)));
  }

  private String key(String name) {
    return architecture.gguf() + "." + name;
  }

  private int rows(String tensor) {
    GgufTensor found = file.tensors().get(tensor);
    if (found == null) {
      throw new HubException.Malformed(
          file.path() + ": expected a tensor " + tensor + ", found none");
    }
    if (found.shape()[0] > Integer.MAX_VALUE) {
      throw new HubException.Malformed(file.path() + ": has " + found + "; expected fewer rows");
    }
    return (int) found.shape()[0];
  }

  /** A token, or a list of those that there are under these keys: each of them ends texts. */
  private void tokens(String field, String... keys) {
    List<Integer> ids =
        Stream.of(keys)
            .map(key -> metadata.token(GgufTokenizer.PREFIX + key))
            .flatMapToInt(OptionalInt::stream)
            .distinct()
            .boxed()
            .toList();
    if (!ids.isEmpty()) {
      config.put(field, ids.size() == 1 ? ids.getFirst() : ids);
    }
  }
}
