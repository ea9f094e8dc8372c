package io.trimtab.model.decoders;

import com.google.auto.service.AutoService;
import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Architecture;
import io.trimtab.model.Weights;
import java.util.Set;

/** Qwen 3 (Yang et al., 2025): Qwen 2 with norms over each head's query and key. */
@AutoService(Architecture.class)
public final class Qwen3 implements Architecture {
  @Override
  public Set<String> modelTypes() {
    return Set.of("qwen3");
  }

  @Override
  public Parts build(ModelConfig config, Weights weights) {
    Recipe recipe = Recipe.llama(config, weights);
    boolean bias = config.flag("attention_bias");
    return Qwen2.windows(recipe, config)
        .names(Names.LLAMA.withQueryAndKeyNorms())
        .attentionBias(bias, bias)
        .rotary(Rope.read(config, recipe.size()))
        .build();
  }
}
