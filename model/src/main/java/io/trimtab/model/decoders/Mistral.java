package io.trimtab.model.decoders;

import com.google.auto.service.AutoService;
import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Architecture;
import io.trimtab.model.Weights;
import java.util.Set;

/** Mistral (Jiang et al., 2023): Llama whose tokens see a window alone, in its first version. */
@AutoService(Architecture.class)
public final class Mistral implements Architecture {
  @Override
  public Set<String> modelTypes() {
    return Set.of("mistral");
  }

  @Override
  public Parts build(ModelConfig config, Weights weights) {
    if (config.has("layer_types")) {
      throw Fields.unsupported(config, "layer_types", "the same attention in all layers");
    }
    Recipe recipe = Recipe.llama(config, weights);
    int window = Fields.window(config);
    return recipe.rotary(Rope.read(config, recipe.size())).window(block -> window).build();
  }
}
