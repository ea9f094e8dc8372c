package io.trimtab.model.decoders;

import com.google.auto.service.AutoService;
import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Architecture;
import io.trimtab.model.Weights;
import java.util.List;
import java.util.Set;

/** Qwen 2 and 2.5 (Yang et al., 2024): Llama with biases on queries, keys and values. */
@AutoService(Architecture.class)
public final class Qwen2 implements Architecture {
  @Override
  public Set<String> modelTypes() {
    return Set.of("qwen2");
  }

  @Override
  public Parts build(ModelConfig config, Weights weights) {
    Recipe recipe = Recipe.llama(config, weights);
    return windows(recipe, config)
        .attentionBias(true, false)
        .rotary(Rope.read(config, recipe.size()))
        .build();
  }

  /** Windows in the upper blocks, where they are asked for. */
  static Recipe windows(Recipe recipe, ModelConfig config) {
    int window = config.flag("use_sliding_window") ? Fields.window(config) : 0;
    int from = config.integer("max_window_layers");
    List<Boolean> sliding =
        Fields.sliding(config, recipe.layers(), block -> window > 0 && block >= from);
    return recipe.window(block -> sliding.get(block) ? window : 0);
  }
}
