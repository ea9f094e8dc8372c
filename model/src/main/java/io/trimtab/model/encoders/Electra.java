package io.trimtab.model.encoders;

import com.google.auto.service.AutoService;
import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Activation;
import io.trimtab.model.Architecture;
import io.trimtab.model.Embeddings;
import io.trimtab.model.Head;
import io.trimtab.model.Stack;
import io.trimtab.model.Weights;
import java.util.List;
import java.util.Set;

/** ELECTRA (Clark et al., 2020): BERT whose embeddings may be smaller than its hidden size. */
@AutoService(Architecture.class)
public final class Electra implements Architecture {
  @Override
  public Set<String> modelTypes() {
    return Set.of("electra");
  }

  @Override
  public Parts build(ModelConfig config, Weights weights) {
    String prefix = weights.has("electra.embeddings.word_embeddings.weight") ? "electra." : "";
    double epsilon = config.decimal("layer_norm_eps", 1e-12);
    Activation activation = Activation.named(config.text("hidden_act", "gelu"));
    BertLayers.checkPlain(config);
    String at = prefix + "embeddings";
    Embeddings embeddings =
        new Embeddings(
            at,
            weights.embedding(at + ".word_embeddings"),
            weights.embedding(at + ".position_embeddings"),
            weights.embedding(at + ".token_type_embeddings"),
            weights.norm(at + ".LayerNorm", epsilon),
            weights.has(at + "_project.weight") ? weights.linear(at + "_project") : null,
            0);
    weights.ignore(at + ".position_ids", "discriminator_predictions.");
    Stack stack =
        new Stack(
            Stack.Role.ENCODER,
            prefix + "encoder",
            embeddings,
            BertLayers.blocks(prefix + "encoder.layer", config, weights, epsilon, activation),
            null);
    return new Parts(stack, heads(config, weights, embeddings, epsilon));
  }

  private static List<Head> heads(
      ModelConfig config, Weights weights, Embeddings embeddings, double epsilon) {
    return switch (Task.of(config)) {
      case MASKED_LM ->
          List.of(
              new Head.MaskedLm(
                  "generator_predictions",
                  weights.linear("generator_predictions.dense"),
                  Activation.GELU,
                  weights.norm("generator_predictions.LayerNorm", epsilon),
                  weights.decoder(
                      "generator_lm_head",
                      embeddings.words(),
                      "generator_lm_head.bias",
                      config.flag("tie_word_embeddings", true))));
      case SEQUENCE_CLASSIFICATION ->
          List.of(
              new Head.SequenceClassifier(
                  "classifier",
                  weights.linear("classifier.dense"),
                  Activation.GELU,
                  null,
                  weights.linear("classifier.out_proj")));
      case TOKEN_CLASSIFICATION ->
          List.of(new Head.TokenClassifier("classifier", weights.linear("classifier")));
      case BARE -> List.of();
    };
  }
}
