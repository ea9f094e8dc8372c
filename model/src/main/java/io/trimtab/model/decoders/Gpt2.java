package io.trimtab.model.decoders;

import com.google.auto.service.AutoService;
import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Activation;
import io.trimtab.model.Architecture;
import io.trimtab.model.FeedForward;
import io.trimtab.model.Norm;
import io.trimtab.model.Projections;
import io.trimtab.model.Weights;
import java.util.Set;

/** GPT-2 (Radford et al., 2019): layer norms, embedded positions, matrices stored [in, out]. */
@AutoService(Architecture.class)
public final class Gpt2 implements Architecture {
  private static final Names NAMES =
      new Names(
          "wte",
          "wpe",
          "h",
          "ln_1",
          "attn.c_proj",
          null,
          null,
          null,
          "ln_2",
          null,
          "ln_f",
          "lm_head");

  @Override
  public Set<String> modelTypes() {
    return Set.of("gpt2");
  }

  @Override
  public Parts build(ModelConfig config, Weights weights) {
    String prefix = weights.has("transformer.wte.weight") ? "transformer." : "";
    int layers = config.integer("n_layer");
    int heads = config.integer("n_head");
    int hidden = config.integer("n_embd");
    boolean scaled = config.flag("scale_attn_weights");
    boolean byLayer = config.flag("scale_attn_by_inverse_layer_idx");
    Activation activation = Activation.named(config.text("activation_function"));
    for (int i = 0; i < layers; i++) { // what old code stored beside the weights
      String at = prefix + "h." + i + ".attn.";
      weights.ignore(at + "bias", at + "masked_bias");
    }
    Recipe recipe = new Recipe(config, weights, prefix, layers, heads, hidden);
    return recipe
        .names(NAMES)
        .norms(Norm.Kind.LAYER, config.decimal("layer_norm_epsilon"))
        .tied(config.flag("tie_word_embeddings"))
        .scale(scaled ? 1 / Math.sqrt((double) hidden / heads) : 1)
        .scales(block -> byLayer ? 1.0 / (block + 1) : 1.0)
        .projections(
            at -> new Projections.Fused(weights.linearTransposed(at + ".attn.c_attn"), hidden))
        .output(weights::linearTransposed)
        .feedForward(
            at ->
                new FeedForward.Plain(
                    weights.linearTransposed(at + ".mlp.c_fc"),
                    activation,
                    weights.linearTransposed(at + ".mlp.c_proj")))
        .build();
  }
}
