package io.trimtab.hub;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/**
 * What transformers takes for granted where the {@code config.json} of a decoder says nothing, in
 * one place for all who read it: the layers that are built from it and the formats that it is
 * translated to.
 *
 * <p>Positions are always described by {@code rope_parameters} afterwards, the spelling of
 * transformers 5: {@code rope_type}, {@code rope_theta}, {@code partial_rotary_factor} and what the
 * type needs; for Gemma 3 once for each of {@code full_attention} and {@code sliding_attention}.
 */
public final class DecoderDefaults {
  private final ModelConfig config;
  private final Map<String, @Nullable Object> fields;

  private DecoderDefaults(ModelConfig config) {
    this.config = config;
    this.fields = new LinkedHashMap<>(config.raw());
  }

  /**
   * The same configuration with these fields filled in; one of another type of model as it is. A
   * {@code null} is filled in too, but for windows and limits, where it means that there is none.
   *
   * @throws HubException.Malformed where a field that all such models have is missing or wrong
   */
  public static ModelConfig complete(ModelConfig config) {
    DecoderDefaults it = new DecoderDefaults(config);
    switch (config.text("model_type", "")) {
      case "llama" -> it.llama(0, 0, 1e-6).rope(10_000, 1);
      case "mistral" -> it.llama(8, 0, 1e-6).unsaid("sliding_window", 4096).rope(10_000, 1);
      case "mixtral" ->
          it.llama(8, 0, 1e-5)
              .missing("num_local_experts", 8)
              .missing("num_experts_per_tok", 2)
              .rope(1_000_000, 1);
      case "qwen2" -> it.llama(32, 0, 1e-6).windowsOnRequest().rope(10_000, 1);
      case "qwen3" -> it.llama(32, 128, 1e-6).windowsOnRequest().rope(10_000, 1);
      case "olmo2", "phi3" -> it.llama(0, 0, 1e-5).rope(10_000, 1);
      case "smollm3" -> it.tied().llama(4, 0, 1e-6).noRotation().rope(2_000_000, 1);
      case "gemma" -> it.tied().gemma(16).rope(10_000, 1);
      case "gemma2" ->
          it.tied()
              .gemma(4)
              .missing("query_pre_attn_scalar", 256)
              .unsaid("attn_logit_softcapping", 50)
              .unsaid("final_logit_softcapping", 30)
              .unsaid("sliding_window", 4096)
              .layerTypes(block -> block % 2 == 0)
              .rope(10_000, 1);
      case "gemma3_text" ->
          it.tied()
              .gemma(4)
              .missing("query_pre_attn_scalar", 256)
              .unsaid("sliding_window", 4096)
              .layerTypes(it.pattern())
              .ropePerKind(1_000_000, 10_000);
      case "gpt_neox" ->
          it.missing("layer_norm_eps", 1e-5)
              .missing("use_parallel_residual", true)
              .missing("tie_word_embeddings", false)
              .missing("attention_bias", true)
              .rope(10_000, 0.25);
      case "gpt2" -> it.tied().gpt2();
      default -> {
        return config;
      }
    }
    return config.with(it.fields);
  }

  private DecoderDefaults missing(String field, Object value) {
    if (fields.get(field) == null) {
      fields.put(field, value);
    }
    return this;
  }

  /** For fields in which {@code null} is a value. */
  private DecoderDefaults unsaid(String field, Object value) {
    if (!fields.containsKey(field)) {
      fields.put(field, value);
    }
    return this;
  }

  private DecoderDefaults tied() {
    return missing("tie_word_embeddings", true);
  }

  /** Llama's fields; 0 for as many key heads as heads, and for heads of hidden size / heads. */
  private DecoderDefaults llama(int keyHeads, int headSize, double epsilon) {
    int heads = positive("num_attention_heads", 0);
    if (headSize > 0) {
      missing("head_dim", headSize);
    } else if (config.has("hidden_size")) {
      missing("head_dim", config.integer("hidden_size") / heads);
    }
    return missing("num_key_value_heads", keyHeads == 0 ? heads : keyHeads)
        .missing("rms_norm_eps", epsilon)
        .missing("tie_word_embeddings", false)
        .missing("attention_bias", false)
        .missing("mlp_bias", false)
        .missing("hidden_act", "silu");
  }

  private DecoderDefaults gemma(int keyHeads) {
    String activation = config.firstOf("hidden_activation", "hidden_act");
    return missing("hidden_activation", config.text(activation, "gelu_pytorch_tanh"))
        .llama(keyHeads, 256, 1e-6);
  }

  private DecoderDefaults windowsOnRequest() {
    return missing("use_sliding_window", false)
        .unsaid("sliding_window", 4096)
        .missing("max_window_layers", 28);
  }

  /** Which blocks of SmolLM 3 turn queries and keys: a 1 for those that do. */
  private DecoderDefaults noRotation() {
    int every = positive("no_rope_layer_interval", 4);
    List<Integer> turned = new ArrayList<>();
    for (int block = 1; block <= config.integer("num_hidden_layers"); block++) {
      turned.add(block % every == 0 ? 0 : 1);
    }
    return missing("use_sliding_window", false).missing("no_rope_layers", turned);
  }

  /** All but every n-th block of Gemma 3 see a window. */
  private IntPredicate pattern() {
    int every = positive(config.firstOf("sliding_window_pattern", "_sliding_window_pattern"), 6);
    return block -> (block + 1) % every != 0;
  }

  private DecoderDefaults layerTypes(IntPredicate windowed) {
    List<String> types = new ArrayList<>();
    for (int block = 0; block < config.integer("num_hidden_layers"); block++) {
      types.add(windowed.test(block) ? RopeDefaults.SLIDING : RopeDefaults.FULL);
    }
    return missing("layer_types", types);
  }

  /** A count; 0 for a field that must be there. */
  private int positive(String field, int fallback) {
    int value = fallback == 0 ? config.integer(field) : config.integer(field, fallback);
    if (value < 1) {
      throw new HubException.Malformed(
          config.path() + ": field " + field + ": expected at least 1, found " + value);
    }
    return value;
  }

  private DecoderDefaults rope(double theta, double share) {
    fields.put("rope_parameters", new RopeDefaults(config).all(theta, share));
    return this;
  }

  private DecoderDefaults ropePerKind(double full, double sliding) {
    fields.put("rope_parameters", new RopeDefaults(config).perKind(full, sliding));
    return this;
  }

  private void gpt2() {
    // transformers reads the names of other models too.
    missing("n_layer", config.integer("num_hidden_layers", 12));
    missing("n_head", config.integer("num_attention_heads", 12));
    missing("n_embd", config.integer("hidden_size", 768));
    missing(
        "n_positions", config.integer(config.firstOf("n_ctx", "max_position_embeddings"), 1024));
    missing("layer_norm_epsilon", 1e-5);
    missing("activation_function", "gelu_new");
    missing("scale_attn_weights", true);
    missing("scale_attn_by_inverse_layer_idx", false);
  }
}
