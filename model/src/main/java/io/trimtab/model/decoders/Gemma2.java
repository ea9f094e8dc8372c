package io.trimtab.model.decoders;

import com.google.auto.service.AutoService;
import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Activation;
import io.trimtab.model.Architecture;
import io.trimtab.model.Norm;
import io.trimtab.model.Weights;
import java.util.List;
import java.util.Set;

/**
 * Gemma 2 (Gemma Team, 2024): norms before and after attention and feed-forward network, scores and
 * logits bent by tanh, every other block with a window.
 */
@AutoService(Architecture.class)
public final class Gemma2 implements Architecture {
  /** The norms of Gemma 2 and 3. */
  static Names names(boolean queriesAndKeys) {
    return Names.LLAMA.withNorms(
        "input_layernorm",
        "post_attention_layernorm",
        "pre_feedforward_layernorm",
        "post_feedforward_layernorm",
        queriesAndKeys);
  }

  @Override
  public Set<String> modelTypes() {
    return Set.of("gemma2");
  }

  @Override
  public Parts build(ModelConfig config, Weights weights) {
    Recipe recipe = start(config, weights);
    int window = Fields.window(config);
    List<Boolean> sliding = Fields.sliding(config, recipe.layers());
    return recipe
        .names(names(false))
        .caps(
            config.decimal("attn_logit_softcapping", 0),
            config.decimal("final_logit_softcapping", 0))
        .rotary(Rope.read(config, recipe.size()))
        .window(block -> sliding.get(block) ? window : 0)
        .build();
  }

  /** What Gemma 2 and 3 have in common. */
  static Recipe start(ModelConfig config, Weights weights) {
    boolean bias = config.flag("attention_bias");
    return Recipe.llama(config, weights)
        .norms(Norm.Kind.ROOT_MEAN_SQUARE_FROM_ONE, config.decimal("rms_norm_eps"))
        .scale(1 / Math.sqrt(config.decimal("query_pre_attn_scalar")))
        .wordScale(Math.sqrt((double) config.integer("hidden_size")))
        .attentionBias(bias, bias)
        .gated(Activation.named(config.text("hidden_activation")), false);
  }
}
