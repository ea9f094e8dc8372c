package io.trimtab.model.decoders;

import com.google.auto.service.AutoService;
import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Activation;
import io.trimtab.model.Architecture;
import io.trimtab.model.Weights;
import java.util.Set;

/**
 * Llama (Touvron et al., 2023; Grattafiori et al., 2024) and models with its configuration, such as
 * SmolLM 2: norms before attention and a gated feed-forward network, rotated positions.
 */
@AutoService(Architecture.class)
public final class Llama implements Architecture {
  @Override
  public Set<String> modelTypes() {
    return Set.of("llama");
  }

  @Override
  public Parts build(ModelConfig config, Weights weights) {
    Recipe recipe = Recipe.llama(config, weights);
    boolean bias = config.flag("attention_bias");
    return recipe
        .attentionBias(bias, bias)
        .gated(Activation.named(config.text("hidden_act")), config.flag("mlp_bias"))
        .rotary(Rope.read(config, recipe.size()))
        .build();
  }
}
