package io.trimtab.hub.gguf;

import io.trimtab.hub.HubException;
import io.trimtab.hub.ModelConfig;
import io.trimtab.hub.TensorFile;
import java.util.List;
import java.util.SequencedMap;

/** The settings of a {@code config.json} as metadata of a GGUF file. */
final class GgufSettings {
  private final ModelConfig config;
  private final GgufArchitecture architecture;
  private final TensorFile tensors;
  private final SequencedMap<String, GgufValue> metadata;
  private final SequencedMap<String, GgufWriter.Source> sources;

  /**
   * Puts entries into {@code metadata}, and tensors that settings become into {@code sources}.
   *
   * @param config as {@link io.trimtab.hub.DecoderDefaults} completes it
   */
  GgufSettings(
      ModelConfig config,
      GgufArchitecture architecture,
      TensorFile tensors,
      SequencedMap<String, GgufValue> metadata,
      SequencedMap<String, GgufWriter.Source> sources) {
    this.config = config;
    this.architecture = architecture;
    this.tensors = tensors;
    this.metadata = metadata;
    this.sources = sources;
  }

  void put() {
    switch (architecture) {
      case GPT2 -> gpt2();
      case GPT_NEOX -> neox();
      case BERT -> bert();
      default -> decoder();
    }
    count("vocab_size", config.integer("vocab_size"));
  }

  private void decoder() {
    sizes();
    int heads = config.integer("num_attention_heads");
    int headSize = config.integer("head_dim");
    count("attention.head_count", heads);
    count("attention.head_count_kv", config.integer("num_key_value_heads"));
    count("attention.key_length", headSize);
    count("attention.value_length", headSize);
    real("attention.layer_norm_rms_epsilon", config.decimal("rms_norm_eps"));
    new GgufRopeSettings(config, architecture, headSize, metadata, sources).put();
    switch (architecture) {
      case LLAMA -> activation("hidden_act", "silu");
      case SMOLLM3 -> {
        activation("hidden_act", "silu");
        everyFourthLayerAlone();
      }
      case MIXTRAL -> {
        activation("hidden_act", "silu");
        count("expert_count", config.integer("num_local_experts"));
        count("expert_used_count", config.integer("num_experts_per_tok"));
      }
      case GEMMA -> activation("hidden_activation", "gelu_pytorch_tanh");
      case GEMMA2, GEMMA3 -> gemma(heads, headSize);
      case PHI3 -> {
        activation("hidden_act", "silu");
        count("attention.sliding_window", config.integer("sliding_window", 0));
      }
      case QWEN2, QWEN3 -> {
        activation("hidden_act", "silu");
        if (config.flag("use_sliding_window")) {
          throw unsupported("use_sliding_window true");
        }
      }
      case OLMO2 -> activation("hidden_act", "silu");
      case GPT2, GPT_NEOX, BERT -> throw new AssertionError(architecture);
    }
  }

  private void gemma(int heads, int headSize) {
    boolean third = architecture == GgufArchitecture.GEMMA3;
    activation("hidden_activation", "gelu_pytorch_tanh");
    int blocks = config.integer("num_hidden_layers");
    boolean largest = blocks == (third ? 62 : 46);
    int expected = largest ? config.integer("hidden_size") / heads : headSize;
    double scalar = config.decimal("query_pre_attn_scalar");
    if (scalar != expected) {
      throw unsupported("query_pre_attn_scalar " + scalar + " (llama.cpp takes " + expected + ")");
    }
    limit("attn_logit_softcapping", !third);
    limit("final_logit_softcapping", !third || config.has("final_logit_softcapping"));
    int window = config.integer("sliding_window", 0);
    if (window < 1) {
      throw unsupported("sliding_window " + window);
    }
    count("attention.sliding_window", window);
    int period = third ? 6 : 2;
    List<String> types = config.texts("layer_types");
    for (int i = 0; i < types.size(); i++) {
      String type = (i + 1) % period == 0 ? "full_attention" : "sliding_attention";
      if (!types.get(i).equals(type)) {
        throw unsupported("layer_types " + types + " (llama.cpp takes every " + period + "th)");
      }
    }
  }

  /** A limit of scores or logits, which llama.cpp takes for granted or does not know. */
  private void limit(String field, boolean expected) {
    if (config.has(field) != expected) {
      throw unsupported(field + (expected ? " null" : " " + config.decimal(field)));
    }
    if (expected) {
      real(field, config.decimal(field));
    }
  }

  /** llama.cpp leaves every fourth layer of a SmolLM3 without rotary embedding. */
  private void everyFourthLayerAlone() {
    List<Integer> rotary = config.integers("no_rope_layers");
    for (int i = 0; i < rotary.size(); i++) {
      if (rotary.get(i) != ((i + 1) % 4 == 0 ? 0 : 1)) {
        throw unsupported("no_rope_layers " + rotary + " (llama.cpp takes every fourth)");
      }
    }
  }

  private void gpt2() {
    activation("activation_function", "gelu_new");
    if (!config.flag("scale_attn_weights") || config.flag("scale_attn_by_inverse_layer_idx")) {
      throw unsupported("another scale of scores than the root of a head's size");
    }
    int width = config.integer("n_embd");
    count("context_length", config.integer("n_positions"));
    count("embedding_length", width);
    count("feed_forward_length", config.integer("n_inner", 4 * width));
    count("block_count", config.integer("n_layer"));
    count("attention.head_count", config.integer("n_head"));
    real("attention.layer_norm_epsilon", config.decimal("layer_norm_epsilon"));
  }

  private void neox() {
    activation("hidden_act", "gelu");
    sizes();
    int heads = config.integer("num_attention_heads");
    count("attention.head_count", heads);
    real("attention.layer_norm_epsilon", config.decimal("layer_norm_eps"));
    flag("use_parallel_residual", config.flag("use_parallel_residual"));
    int headSize = config.integer("hidden_size") / heads;
    new GgufRopeSettings(config, architecture, headSize, metadata, sources).put();
  }

  private void bert() {
    activation("hidden_act", "gelu");
    sizes();
    count("attention.head_count", config.integer("num_attention_heads"));
    real("attention.layer_norm_epsilon", config.decimal("layer_norm_eps", 1e-12));
    flag("attention.causal", false);
    metadata.put(
        "tokenizer.ggml.token_type_count",
        GgufValue.count(tensors.info("embeddings.token_type_embeddings.weight").shape()[0]));
  }

  private void sizes() {
    int context = config.integer("max_position_embeddings");
    boolean windowed =
        architecture == GgufArchitecture.LLAMA || architecture == GgufArchitecture.MIXTRAL;
    if (windowed && config.has("sliding_window")) {
      // llama.cpp sees everything here; up to the window's length, that is the same.
      context = Math.min(context, config.integer("sliding_window"));
    }
    count("context_length", context);
    count("embedding_length", config.integer("hidden_size"));
    count("feed_forward_length", config.integer("intermediate_size"));
    count("block_count", config.integer("num_hidden_layers"));
  }

  private void activation(String field, String expected) {
    String found = config.text(field, expected);
    boolean gelu = found.startsWith("gelu") && expected.equals("gelu_pytorch_tanh");
    if (!found.equals(expected) && !gelu) {
      throw unsupported(field + " " + found + " (llama.cpp takes " + expected + ")");
    }
  }

  private HubException unsupported(String what) {
    return new HubException.Unsupported(
        config.path() + ": " + what + " cannot be said in a GGUF file of " + architecture.gguf());
  }

  private void count(String name, int value) {
    metadata.put(architecture.gguf() + "." + name, GgufValue.count(value));
  }

  private void real(String name, double value) {
    metadata.put(architecture.gguf() + "." + name, GgufValue.real(value));
  }

  private void flag(String name, boolean value) {
    metadata.put(architecture.gguf() + "." + name, GgufValue.flag(value));
  }
}
