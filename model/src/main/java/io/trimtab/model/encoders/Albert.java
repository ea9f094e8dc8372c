package io.trimtab.model.encoders;

import com.google.auto.service.AutoService;
import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Activation;
import io.trimtab.model.Architecture;
import io.trimtab.model.Embeddings;
import io.trimtab.model.FeedForward;
import io.trimtab.model.Head;
import io.trimtab.model.ModelException;
import io.trimtab.model.Projections;
import io.trimtab.model.Stack;
import io.trimtab.model.TransformerBlock;
import io.trimtab.model.Weights;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * ALBERT (Lan et al., 2019): BERT with small embeddings that are projected, and few groups of
 * layers that are used many times over. A patch on a layer of a group acts in every use.
 */
@AutoService(Architecture.class)
public final class Albert implements Architecture {
  @Override
  public Set<String> modelTypes() {
    return Set.of("albert");
  }

  @Override
  public Parts build(ModelConfig config, Weights weights) {
    String prefix = weights.has("albert.embeddings.word_embeddings.weight") ? "albert." : "";
    double epsilon = config.decimal("layer_norm_eps", 1e-12);
    BertLayers.checkPlain(config);
    String at = prefix + "embeddings";
    Embeddings embeddings =
        new Embeddings(
            at,
            weights.embedding(at + ".word_embeddings"),
            weights.embedding(at + ".position_embeddings"),
            weights.embedding(at + ".token_type_embeddings"),
            weights.norm(at + ".LayerNorm", epsilon),
            weights.linear(prefix + "encoder.embedding_hidden_mapping_in"),
            0);
    weights.ignore(at + ".position_ids", "sop_classifier.");
    List<TransformerBlock> blocks =
        blocks(prefix + "encoder.albert_layer_groups", config, weights, epsilon);
    Stack stack = new Stack(Stack.Role.ENCODER, prefix + "encoder", embeddings, blocks, null);
    return new Parts(stack, heads(config, weights, prefix, embeddings, epsilon));
  }

  /** The blocks in the order of use: the same object as often as it is used. */
  private static List<TransformerBlock> blocks(
      String path, ModelConfig config, Weights weights, double epsilon) {
    int layers = config.integer("num_hidden_layers");
    int groups = config.integer("num_hidden_groups", 1);
    int inner = config.integer("inner_group_num", 1);
    if (groups < 1 || groups > layers || inner < 1) {
      throw new ModelException.Unsupported(
          "found num_hidden_groups "
              + groups
              + " and inner_group_num "
              + inner
              + " in "
              + config.path()
              + ", expected 1 to the "
              + layers
              + " layers and at least 1; correct the file");
    }
    List<List<TransformerBlock>> known =
        IntStream.range(0, groups)
            .mapToObj(
                g ->
                    IntStream.range(0, inner)
                        .mapToObj(i -> path + "." + g + ".albert_layers." + i)
                        .map(at -> block(at, config, weights, epsilon))
                        .toList())
            .toList();
    return IntStream.range(0, layers)
        .mapToObj(layer -> known.get((int) (layer / ((double) layers / groups))))
        .flatMap(List::stream)
        .toList();
  }

  private static TransformerBlock block(
      String at, ModelConfig config, Weights weights, double epsilon) {
    return new TransformerBlock(
        at,
        TransformerBlock.Parts.postNorm(
            TransformerBlock.Attending.whole(
                new Projections.Separate(
                    weights.linear(at + ".attention.query"),
                    weights.linear(at + ".attention.key"),
                    weights.linear(at + ".attention.value")),
                weights.linear(at + ".attention.dense"),
                weights.norm(at + ".attention.LayerNorm", epsilon),
                config.integer("num_attention_heads")),
            null,
            new FeedForward.Plain(
                weights.linear(at + ".ffn"),
                Activation.named(config.text("hidden_act", "gelu_new")),
                weights.linear(at + ".ffn_output")),
            weights.norm(at + ".full_layer_layer_norm", epsilon)));
  }

  private static List<Head> heads(
      ModelConfig config, Weights weights, String prefix, Embeddings embeddings, double epsilon) {
    String pooler = prefix + "pooler";
    Task task = Task.of(config);
    List<Head> heads = new ArrayList<>();
    switch (task) {
      case MASKED_LM -> heads.add(maskedLm(config, weights, embeddings, epsilon));
      case SEQUENCE_CLASSIFICATION ->
          heads.add(
              new Head.SequenceClassifier(
                  "classifier",
                  weights.linear(pooler),
                  Activation.TANH,
                  null,
                  weights.linear("classifier")));
      case TOKEN_CLASSIFICATION ->
          heads.add(new Head.TokenClassifier("classifier", weights.linear("classifier")));
      case BARE -> {
        if (weights.has(pooler + ".weight")) {
          heads.add(new Head.Pooler(pooler, weights.linear(pooler)));
        }
        if (weights.has("predictions.dense.weight")) { // AlbertForPreTraining
          heads.add(maskedLm(config, weights, embeddings, epsilon));
        }
      }
    }
    weights.ignore(pooler + ".weight", pooler + ".bias");
    return heads;
  }

  private static Head maskedLm(
      ModelConfig config, Weights weights, Embeddings embeddings, double epsilon) {
    return new Head.MaskedLm(
        "predictions",
        weights.linear("predictions.dense"),
        Activation.named(config.text("hidden_act", "gelu_new")),
        weights.norm("predictions.LayerNorm", epsilon),
        weights.decoder(
            "predictions.decoder",
            embeddings.words(),
            "predictions.bias",
            config.flag("tie_word_embeddings", true)));
  }
}
