package io.trimtab.model.decoders;

import com.google.auto.service.AutoService;
import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Architecture;
import io.trimtab.model.Rotary;
import io.trimtab.model.Weights;
import java.util.List;
import java.util.Set;

/**
 * The text model of Gemma 3 (Gemma Team, 2025): Gemma 2 with norms over queries and keys, five
 * blocks with a window for each that sees all, and slower positions in the latter.
 */
@AutoService(Architecture.class)
public final class Gemma3 implements Architecture {
  @Override
  public Set<String> modelTypes() {
    return Set.of("gemma3_text");
  }

  @Override
  public Parts build(ModelConfig config, Weights weights) {
    Recipe recipe = Gemma2.start(config, weights);
    int window = Fields.window(config);
    List<Boolean> sliding = Fields.sliding(config, recipe.layers());
    Rotary global = Rope.read(config, recipe.size(), Fields.FULL);
    Rotary local = Rope.read(config, recipe.size(), Fields.SLIDING);
    return recipe
        .names(Gemma2.names(true))
        .caps(
            config.decimal("attn_logit_softcapping", 0),
            config.decimal("final_logit_softcapping", 0))
        .rotary(block -> sliding.get(block) ? local : global)
        .window(block -> sliding.get(block) ? window : 0)
        .build();
  }
}
