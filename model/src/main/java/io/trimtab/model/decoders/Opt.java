package io.trimtab.model.decoders;

import com.google.auto.service.AutoService;
import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Activation;
import io.trimtab.model.Architecture;
import io.trimtab.model.FeedForward;
import io.trimtab.model.Norm;
import io.trimtab.model.Weights;
import java.util.Set;

/** OPT (Zhang et al., 2022): GPT-3's blocks; positions are embedded from the third row on. */
@AutoService(Architecture.class)
public final class Opt implements Architecture {
  @Override
  public Set<String> modelTypes() {
    return Set.of("opt");
  }

  @Override
  public Parts build(ModelConfig config, Weights weights) {
    check(config);
    String prefix =
        weights.has("model.decoder.embed_tokens.weight") ? "model.decoder." : "decoder.";
    int hidden = config.integer("hidden_size");
    boolean bias = config.flag("enable_bias", true);
    Activation activation = Activation.named(config.text("activation_function", "relu"));
    Names names =
        new Names(
            "embed_tokens",
            "embed_positions",
            "layers",
            "self_attn_layer_norm",
            "self_attn.out_proj",
            null,
            null,
            null,
            "final_layer_norm",
            null,
            config.flag("_remove_final_layer_norm", false) ? null : "final_layer_norm",
            "lm_head");
    return new Recipe(
            config,
            weights,
            prefix,
            config.integer("num_hidden_layers"),
            config.integer("num_attention_heads"),
            hidden)
        .names(names)
        .norms(Norm.Kind.LAYER, 1e-5)
        .tied(config.flag("tie_word_embeddings", true))
        .firstPosition(2)
        .attentionBias(bias, bias)
        .feedForward(
            at ->
                new FeedForward.Plain(
                    weights.linear(at + ".fc1", bias),
                    activation,
                    weights.linear(at + ".fc2", bias)))
        .build();
  }

  private static void check(ModelConfig config) {
    if (!config.flag("do_layer_norm_before", true)) {
      throw Fields.unsupported(config, "do_layer_norm_before false", "true");
    }
    if (!config.flag("layer_norm_elementwise_affine", true)) {
      throw Fields.unsupported(config, "layer_norm_elementwise_affine false", "true");
    }
    int hidden = config.integer("hidden_size");
    int embedded = config.integer("word_embed_proj_dim", hidden);
    if (embedded != hidden) {
      throw Fields.unsupported(config, "word_embed_proj_dim " + embedded, "hidden_size, " + hidden);
    }
  }
}
