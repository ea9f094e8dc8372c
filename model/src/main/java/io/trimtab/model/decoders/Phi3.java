package io.trimtab.model.decoders;

import com.google.auto.service.AutoService;
import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Activation;
import io.trimtab.model.Architecture;
import io.trimtab.model.FeedForward;
import io.trimtab.model.Projections;
import io.trimtab.model.Weights;
import java.util.Set;

/**
 * Phi-3 and Phi-4 mini (Abdin et al., 2024): Llama with one layer for queries, keys and values, and
 * one for the two halves of the gated feed-forward network.
 */
@AutoService(Architecture.class)
public final class Phi3 implements Architecture {
  @Override
  public Set<String> modelTypes() {
    return Set.of("phi3");
  }

  @Override
  public Parts build(ModelConfig config, Weights weights) {
    int keyHeads = config.integer("num_key_value_heads");
    Recipe recipe = Recipe.llama(config, weights);
    Activation activation = Activation.named(config.text("hidden_act"));
    int window = Fields.window(config);
    return recipe
        .projections(
            at ->
                new Projections.Fused(
                    weights.linear(at + ".self_attn.qkv_proj", false), keyHeads * recipe.size()))
        .feedForward(
            at ->
                new FeedForward.FusedGate(
                    weights.linear(at + ".mlp.gate_up_proj", false),
                    activation,
                    weights.linear(at + ".mlp.down_proj", false)))
        .rotary(Rope.read(config, recipe.size()))
        .window(block -> window)
        .build();
  }
}
