package io.trimtab.model.encoders;

import com.google.auto.service.AutoService;
import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Activation;
import io.trimtab.model.Architecture;
import io.trimtab.model.Embeddings;
import io.trimtab.model.FeedForward;
import io.trimtab.model.Head;
import io.trimtab.model.Projections;
import io.trimtab.model.Stack;
import io.trimtab.model.TransformerBlock;
import io.trimtab.model.Weights;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/** DistilBERT (Sanh et al., 2019): BERT at half the depth, without token types, other names. */
@AutoService(Architecture.class)
public final class DistilBert implements Architecture {
  private static final double EPSILON = 1e-12; // the model's code has no setting for it

  @Override
  public Set<String> modelTypes() {
    return Set.of("distilbert");
  }

  @Override
  public Parts build(ModelConfig config, Weights weights) {
    String prefix =
        weights.has("distilbert.embeddings.word_embeddings.weight") ? "distilbert." : "";
    String at = prefix + "embeddings";
    Embeddings embeddings =
        new Embeddings(
            at,
            weights.embedding(at + ".word_embeddings"),
            weights.embedding(at + ".position_embeddings"),
            null,
            weights.norm(at + ".LayerNorm", EPSILON),
            null,
            0);
    weights.ignore(at + ".position_ids");
    Activation activation = Activation.named(config.text("activation", "gelu"));
    int heads = config.integer("n_heads");
    List<TransformerBlock> blocks =
        IntStream.range(0, config.integer("n_layers"))
            .mapToObj(i -> block(prefix + "transformer.layer." + i, weights, activation, heads))
            .toList();
    Stack stack = new Stack(Stack.Role.ENCODER, prefix + "transformer", embeddings, blocks, null);
    return new Parts(stack, heads(config, weights, embeddings, activation));
  }

  private static TransformerBlock block(
      String at, Weights weights, Activation activation, int heads) {
    return new TransformerBlock(
        at,
        TransformerBlock.Parts.postNorm(
            TransformerBlock.Attending.whole(
                new Projections.Separate(
                    weights.linear(at + ".attention.q_lin"),
                    weights.linear(at + ".attention.k_lin"),
                    weights.linear(at + ".attention.v_lin")),
                weights.linear(at + ".attention.out_lin"),
                weights.norm(at + ".sa_layer_norm", EPSILON),
                heads),
            null,
            new FeedForward.Plain(
                weights.linear(at + ".ffn.lin1"), activation, weights.linear(at + ".ffn.lin2")),
            weights.norm(at + ".output_layer_norm", EPSILON)));
  }

  private static List<Head> heads(
      ModelConfig config, Weights weights, Embeddings embeddings, Activation activation) {
    return switch (Task.of(config)) {
      case MASKED_LM ->
          List.of(
              new Head.MaskedLm(
                  "vocab_projector",
                  weights.linear("vocab_transform"),
                  activation,
                  weights.norm("vocab_layer_norm", EPSILON),
                  weights.decoder(
                      "vocab_projector",
                      embeddings.words(),
                      "vocab_projector.bias",
                      config.flag("tie_word_embeddings", true))));
      case SEQUENCE_CLASSIFICATION ->
          List.of(
              new Head.SequenceClassifier(
                  "classifier",
                  weights.linear("pre_classifier"),
                  Activation.RELU,
                  null,
                  weights.linear("classifier")));
      case TOKEN_CLASSIFICATION ->
          List.of(new Head.TokenClassifier("classifier", weights.linear("classifier")));
      case BARE -> List.of();
    };
  }
}
