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

/** RoBERTa (Liu et al., 2019) and XLM-RoBERTa: BERT whose positions start after the padding's. */
@AutoService(Architecture.class)
public final class Roberta implements Architecture {
  @Override
  public Set<String> modelTypes() {
    return Set.of("roberta", "xlm-roberta", "camembert");
  }

  @Override
  public Parts build(ModelConfig config, Weights weights) {
    String prefix = weights.has("roberta.embeddings.word_embeddings.weight") ? "roberta." : "";
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
            null,
            config.integer("pad_token_id", 1) + 1);
    weights.ignore(at + ".position_ids");
    Stack stack =
        new Stack(
            Stack.Role.ENCODER,
            prefix + "encoder",
            embeddings,
            BertLayers.blocks(prefix + "encoder.layer", config, weights, epsilon, activation),
            null);
    return new Parts(stack, heads(config, weights, prefix, embeddings, epsilon));
  }

  private static List<Head> heads(
      ModelConfig config, Weights weights, String prefix, Embeddings embeddings, double epsilon) {
    String pooler = prefix + "pooler.dense";
    Task task = Task.of(config);
    if (task != Task.BARE) {
      weights.ignore(pooler + ".weight", pooler + ".bias");
    }
    return switch (task) {
      case MASKED_LM ->
          List.of(
              new Head.MaskedLm(
                  "lm_head",
                  weights.linear("lm_head.dense"),
                  Activation.GELU,
                  weights.norm("lm_head.layer_norm", epsilon),
                  weights.decoder(
                      "lm_head.decoder",
                      embeddings.words(),
                      "lm_head.bias",
                      config.flag("tie_word_embeddings", true))));
      case SEQUENCE_CLASSIFICATION ->
          List.of(
              new Head.SequenceClassifier(
                  "classifier",
                  weights.linear("classifier.dense"),
                  Activation.TANH,
                  null,
                  weights.linear("classifier.out_proj")));
      case TOKEN_CLASSIFICATION ->
          List.of(new Head.TokenClassifier("classifier", weights.linear("classifier")));
      case BARE ->
          weights.has(pooler + ".weight")
              ? List.of(new Head.Pooler(prefix + "pooler", weights.linear(pooler)))
              : List.of();
    };
  }
}
