package io.trimtab.model.decoders;

import com.google.auto.service.AutoService;
import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Activation;
import io.trimtab.model.Architecture;
import io.trimtab.model.Experts;
import io.trimtab.model.FeedForward;
import io.trimtab.model.Weights;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/** Mixtral (Jiang et al., 2024): Mistral with experts in the place of the feed-forward network. */
@AutoService(Architecture.class)
public final class Mixtral implements Architecture {
  @Override
  public Set<String> modelTypes() {
    return Set.of("mixtral");
  }

  @Override
  public Parts build(ModelConfig config, Weights weights) {
    Recipe recipe = Recipe.llama(config, weights);
    int window = Fields.window(config);
    return recipe
        .feedForward(at -> experts(at + ".block_sparse_moe", config, weights))
        .rotary(Rope.read(config, recipe.size()))
        .window(block -> window)
        .build();
  }

  private static Experts experts(String at, ModelConfig config, Weights weights) {
    Activation activation = Activation.named(config.text("hidden_act"));
    List<FeedForward> experts =
        IntStream.range(0, config.integer("num_local_experts"))
            .mapToObj(i -> at + ".experts." + i)
            .<FeedForward>map(
                path ->
                    new FeedForward.Gated(
                        weights.linear(path + ".w1", false),
                        weights.linear(path + ".w3", false),
                        activation,
                        weights.linear(path + ".w2", false)))
            .toList();
    return new Experts(
        at, weights.linear(at + ".gate", false), experts, config.integer("num_experts_per_tok"));
  }
}
