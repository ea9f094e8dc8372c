package io.trimtab.model.decoders;

import com.google.auto.service.AutoService;
import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Activation;
import io.trimtab.model.Architecture;
import io.trimtab.model.Rotary;
import io.trimtab.model.Weights;
import java.util.List;
import java.util.Set;

/**
 * SmolLM 3 (Bakouch et al., 2025): Llama some of whose blocks know no positions ("NoPE", Yang et
 * al., 2025).
 */
@AutoService(Architecture.class)
public final class SmolLm3 implements Architecture {
  @Override
  public Set<String> modelTypes() {
    return Set.of("smollm3");
  }

  @Override
  public Parts build(ModelConfig config, Weights weights) {
    Recipe recipe = Recipe.llama(config, weights);
    boolean bias = config.flag("attention_bias");
    List<Boolean> rotated = rotated(config, recipe.layers());
    int window = config.flag("use_sliding_window") ? Fields.window(config) : 0;
    List<Boolean> sliding =
        Fields.sliding(config, recipe.layers(), block -> window > 0 && !rotated.get(block));
    Rotary rotary = Rope.read(config, recipe.size());
    return recipe
        .attentionBias(bias, bias)
        .gated(Activation.named(config.text("hidden_act")), config.flag("mlp_bias"))
        .rotary(block -> rotated.get(block) ? rotary : null)
        .window(block -> sliding.get(block) ? window : 0)
        .build();
  }

  /** Which blocks turn queries and keys: {@code no_rope_layers} has a 1 for those that do. */
  private static List<Boolean> rotated(ModelConfig config, int layers) {
    List<Integer> said = config.integers("no_rope_layers");
    if (said.size() != layers) {
      throw Fields.unsupported(
          config, said.size() + " numbers in no_rope_layers", "one a layer, " + layers);
    }
    return said.stream().map(one -> one != 0).toList();
  }
}
