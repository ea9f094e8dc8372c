package io.trimtab.model.decoders;

import com.google.auto.service.AutoService;
import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Architecture;
import io.trimtab.model.Weights;
import java.util.Set;

/**
 * OLMo 2 (OLMo Team, 2025): Llama with norms over what attention and the feed-forward network give
 * instead of over what they are given, and over all heads' queries and keys together.
 */
@AutoService(Architecture.class)
public final class Olmo2 implements Architecture {
  @Override
  public Set<String> modelTypes() {
    return Set.of("olmo2");
  }

  @Override
  public Parts build(ModelConfig config, Weights weights) {
    Recipe recipe = Recipe.llama(config, weights);
    boolean bias = config.flag("attention_bias");
    return recipe
        .names(
            Names.LLAMA.withNorms(
                null, "post_attention_layernorm", null, "post_feedforward_layernorm", true))
        .attentionBias(bias, bias)
        .rotary(Rope.read(config, recipe.size()))
        .build();
  }
}
