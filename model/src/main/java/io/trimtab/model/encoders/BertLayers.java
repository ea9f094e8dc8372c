package io.trimtab.model.encoders;

import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Activation;
import io.trimtab.model.FeedForward;
import io.trimtab.model.ModelException;
import io.trimtab.model.Projections;
import io.trimtab.model.TransformerBlock;
import io.trimtab.model.Weights;
import java.util.List;
import java.util.stream.IntStream;

/** What BERT and its descendants that keep its names have in common. */
final class BertLayers {
  private BertLayers() {}

  /** Blocks {@code path.0}, {@code path.1} … as BERT names their parts. */
  static List<TransformerBlock> blocks(
      String path, ModelConfig config, Weights weights, double epsilon, Activation activation) {
    int heads = config.integer("num_attention_heads");
    return IntStream.range(0, config.integer("num_hidden_layers"))
        .mapToObj(
            i -> {
              String at = path + "." + i;
              return new TransformerBlock(
                  at,
                  TransformerBlock.Parts.postNorm(
                      TransformerBlock.Attending.whole(
                          new Projections.Separate(
                              weights.linear(at + ".attention.self.query"),
                              weights.linear(at + ".attention.self.key"),
                              weights.linear(at + ".attention.self.value")),
                          weights.linear(at + ".attention.output.dense"),
                          weights.norm(at + ".attention.output.LayerNorm", epsilon),
                          heads),
                      null,
                      new FeedForward.Plain(
                          weights.linear(at + ".intermediate.dense"),
                          activation,
                          weights.linear(at + ".output.dense")),
                      weights.norm(at + ".output.LayerNorm", epsilon)));
            })
        .toList();
  }

  /** Refuses options of old BERT code that change the result and are not computed here. */
  static void checkPlain(ModelConfig config) {
    String positions = config.text("position_embedding_type", "absolute");
    if (!positions.equals("absolute")) {
      throw new ModelException.Unsupported(
          "found position_embedding_type \""
              + positions
              + "\" in "
              + config.path()
              + ", expected absolute; relative positions of this kind are not computed");
    }
    for (String flag : List.of("is_decoder", "add_cross_attention")) {
      if (config.flag(flag, false)) {
        throw new ModelException.Unsupported(
            "found " + flag + " true in " + config.path() + ", expected an encoder without it");
      }
    }
  }
}
