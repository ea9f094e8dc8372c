package io.trimtab.model.encoders;

import com.google.auto.service.AutoService;
import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Activation;
import io.trimtab.model.Architecture;
import io.trimtab.model.Embedding;
import io.trimtab.model.Embeddings;
import io.trimtab.model.Head;
import io.trimtab.model.Norm;
import io.trimtab.model.Stack;
import io.trimtab.model.TransformerBlock;
import io.trimtab.model.Weights;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * BERT (Devlin et al., 2018) and the sentence encoders that are BERT without a head, such as
 * MiniLM, bge and e5.
 */
@AutoService(Architecture.class)
public final class Bert implements Architecture {
  @Override
  public Set<String> modelTypes() {
    return Set.of("bert");
  }

  @Override
  public Parts build(ModelConfig config, Weights weights) {
    String prefix = weights.has("bert.embeddings.word_embeddings.weight") ? "bert." : "";
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
            0);
    weights.ignore(at + ".position_ids", "cls.seq_relationship.");
    List<TransformerBlock> blocks =
        BertLayers.blocks(prefix + "encoder.layer", config, weights, epsilon, activation);
    Stack stack = new Stack(Stack.Role.ENCODER, prefix + "encoder", embeddings, blocks, null);
    return new Parts(stack, heads(config, weights, prefix, embeddings.words(), activation));
  }

  private static List<Head> heads(
      ModelConfig config, Weights weights, String prefix, Embedding words, Activation activation) {
    String pooler = prefix + "pooler.dense";
    List<Head> heads = new ArrayList<>();
    switch (Task.of(config)) {
      case MASKED_LM -> {
        weights.ignore(pooler + ".weight", pooler + ".bias");
        heads.add(maskedLm(config, weights, words, activation));
      }
      case SEQUENCE_CLASSIFICATION ->
          heads.add(
              new Head.SequenceClassifier(
                  "classifier",
                  weights.linear(pooler),
                  Activation.TANH,
                  null,
                  weights.linear("classifier")));
      case TOKEN_CLASSIFICATION -> {
        weights.ignore(pooler + ".weight", pooler + ".bias");
        heads.add(new Head.TokenClassifier("classifier", weights.linear("classifier")));
      }
      case BARE -> {
        if (weights.has(pooler + ".weight")) {
          heads.add(new Head.Pooler(prefix + "pooler", weights.linear(pooler)));
        }
        if (weights.has("cls.predictions.transform.dense.weight")) { // BertForPreTraining
          heads.add(maskedLm(config, weights, words, activation));
        }
      }
    }
    return heads;
  }

  private static Head maskedLm(
      ModelConfig config, Weights weights, Embedding words, Activation activation) {
    String at = "cls.predictions";
    Norm norm = weights.norm(at + ".transform.LayerNorm", config.decimal("layer_norm_eps", 1e-12));
    return new Head.MaskedLm(
        at,
        weights.linear(at + ".transform.dense"),
        activation,
        norm,
        weights.decoder(
            at + ".decoder", words, at + ".bias", config.flag("tie_word_embeddings", true)));
  }
}
