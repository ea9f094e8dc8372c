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

/**
 * GPT-NeoX (Black et al., 2022) and Pythia: layer norms, attention and feed-forward network side by
 * side, positions turned in a part of each head.
 */
@AutoService(Architecture.class)
public final class GptNeoX implements Architecture {
  private static final Names NAMES =
      new Names(
          "embed_in",
          null,
          "layers",
          "input_layernorm",
          "attention.dense",
          null,
          null,
          null,
          "post_attention_layernorm",
          null,
          "final_layer_norm",
          "embed_out");

  @Override
  public Set<String> modelTypes() {
    return Set.of("gpt_neox");
  }

  @Override
  public Parts build(ModelConfig config, Weights weights) {
    String prefix = weights.has("gpt_neox.embed_in.weight") ? "gpt_neox." : "";
    int layers = config.integer("num_hidden_layers");
    int heads = config.integer("num_attention_heads");
    Activation activation = Activation.named(config.text("hidden_act", "gelu"));
    boolean bias = config.flag("attention_bias");
    for (int i = 0; i < layers; i++) { // what old code stored beside the weights
      String at = prefix + "layers." + i + ".attention.";
      weights.ignore(at + "bias", at + "masked_bias", at + "rotary_emb.inv_freq");
    }
    Recipe recipe =
        new Recipe(config, weights, prefix, layers, heads, config.integer("hidden_size"));
    return recipe
        .names(NAMES)
        .norms(Norm.Kind.LAYER, config.decimal("layer_norm_eps"))
        .tied(config.flag("tie_word_embeddings"))
        .parallel(config.flag("use_parallel_residual"))
        .projections(
            at ->
                new Projections.Interleaved(
                    weights.linear(at + ".attention.query_key_value", bias), heads))
        .outputBias(bias)
        .feedForward(
            at ->
                new FeedForward.Plain(
                    weights.linear(at + ".mlp.dense_h_to_4h"),
                    activation,
                    weights.linear(at + ".mlp.dense_4h_to_h")))
        .rotary(Rope.read(config, recipe.size()))
        .build();
  }
}
