package io.trimtab.model.encoders;

import com.google.auto.service.AutoService;
import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Activation;
import io.trimtab.model.Architecture;
import io.trimtab.model.Attention;
import io.trimtab.model.Embedding;
import io.trimtab.model.Embeddings;
import io.trimtab.model.FeedForward;
import io.trimtab.model.Head;
import io.trimtab.model.Linear;
import io.trimtab.model.ModelException;
import io.trimtab.model.Norm;
import io.trimtab.model.Projections;
import io.trimtab.model.Stack;
import io.trimtab.model.TransformerBlock;
import io.trimtab.model.Weights;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * DeBERTa v2 and v3 (He et al., 2020 and 2021): BERT's layers with {@linkplain DisentangledBias
 * disentangled attention}.
 */
@AutoService(Architecture.class)
public final class DebertaV2 implements Architecture {
  @Override
  public Set<String> modelTypes() {
    return Set.of("deberta-v2");
  }

  @Override
  public Parts build(ModelConfig config, Weights weights) {
    check(config);
    String prefix = weights.has("deberta.embeddings.word_embeddings.weight") ? "deberta." : "";
    double epsilon = config.decimal("layer_norm_eps", 1e-7);
    String at = prefix + "embeddings";
    boolean absolute = config.flag("position_biased_input", true);
    boolean types = config.integer("type_vocab_size", 0) > 0;
    Embeddings embeddings =
        new Embeddings(
            at,
            weights.embedding(at + ".word_embeddings"),
            absolute ? weights.embedding(at + ".position_embeddings") : null,
            types ? weights.embedding(at + ".token_type_embeddings") : null,
            weights.norm(at + ".LayerNorm", epsilon),
            null,
            0);
    weights.ignore(at + ".position_ids");
    Relative relative = Relative.of(prefix + "encoder", config, weights, epsilon);
    List<TransformerBlock> blocks =
        IntStream.range(0, config.integer("num_hidden_layers"))
            .mapToObj(i -> block(prefix + "encoder.layer." + i, config, weights, relative, epsilon))
            .toList();
    Stack stack = new Stack(Stack.Role.ENCODER, prefix + "encoder", embeddings, blocks, null);
    return new Parts(stack, heads(config, weights, embeddings, epsilon));
  }

  /** What all blocks know of relative positions. */
  private record Relative(
      Embedding table,
      @Nullable Norm norm,
      LogBuckets buckets,
      boolean toPosition,
      boolean toContent,
      boolean sharedProjections) {

    static Relative of(String at, ModelConfig config, Weights weights, double epsilon) {
      List<String> kinds = kinds(config);
      int furthest = config.integer("max_relative_positions", -1);
      if (furthest < 1) {
        furthest = config.integer("max_position_embeddings");
      }
      int buckets = Math.max(0, config.integer("position_buckets", -1));
      boolean normed = config.text("norm_rel_ebd", "none").equals("layer_norm");
      Embedding table = weights.embedding(at + ".rel_embeddings");
      int span = buckets > 0 ? buckets : furthest;
      if (table.rows() != 2 * span) {
        throw new ModelException(
            "found "
                + table.rows()
                + " rows in "
                + table.tableName()
                + ", expected "
                + 2 * span
                + " by position_buckets and max_relative_positions in "
                + config.path());
      }
      return new Relative(
          table,
          normed ? weights.norm(at + ".LayerNorm", epsilon) : null,
          new LogBuckets(span, buckets, furthest),
          kinds.contains("c2p"),
          kinds.contains("p2c"),
          config.flag("share_att_key", false));
    }

    /** One and the terms that are added to the product of contents. */
    int terms() {
      return 1 + (toPosition ? 1 : 0) + (toContent ? 1 : 0);
    }
  }

  private static TransformerBlock block(
      String at, ModelConfig config, Weights weights, Relative relative, double epsilon) {
    String self = at + ".attention.self";
    int heads = config.integer("num_attention_heads");
    Linear query = weights.linear(self + ".query_proj");
    Linear key = weights.linear(self + ".key_proj");
    boolean shared = relative.sharedProjections();
    Linear positionKey =
        !relative.toPosition()
            ? null
            : shared ? key : weights.linearAsStored(self + ".pos_key_proj");
    Linear positionQuery =
        !relative.toContent() ? null : shared ? query : weights.linear(self + ".pos_query_proj");
    double scale = 1 / Math.sqrt((double) query.weight().out() / heads * relative.terms());
    DisentangledBias bias =
        new DisentangledBias(
            relative.table(),
            relative.norm(),
            positionKey,
            positionQuery,
            relative.buckets(),
            heads,
            scale);
    return new TransformerBlock(
        at,
        TransformerBlock.Parts.postNorm(
            new TransformerBlock.Attending(
                new Projections.Separate(query, key, weights.linear(self + ".value_proj")),
                weights.linear(at + ".attention.output.dense"),
                weights.norm(at + ".attention.output.LayerNorm", epsilon),
                Attention.Form.whole(heads, scale)),
            bias,
            new FeedForward.Plain(
                weights.linear(at + ".intermediate.dense"),
                Activation.named(config.text("hidden_act", "gelu")),
                weights.linear(at + ".output.dense")),
            weights.norm(at + ".output.LayerNorm", epsilon)));
  }

  private static List<Head> heads(
      ModelConfig config, Weights weights, Embeddings embeddings, double epsilon) {
    Task task = Task.of(config);
    return switch (task) {
      case MASKED_LM -> List.of(maskedLm(config, weights, embeddings, epsilon));
      case SEQUENCE_CLASSIFICATION ->
          List.of(
              new Head.SequenceClassifier(
                  "classifier",
                  weights.linear("pooler.dense"),
                  Activation.named(config.text("pooler_hidden_act", "gelu")),
                  null,
                  weights.linear("classifier")));
      case TOKEN_CLASSIFICATION ->
          List.of(new Head.TokenClassifier("classifier", weights.linear("classifier")));
      case BARE -> {
        // The v3 checkpoints carry what is left of their pretraining, which is no language model.
        weights.ignore("lm_predictions.", "mask_predictions.", "cls.predictions.");
        yield List.of();
      }
    };
  }

  /** The head under BERT's names, or under those of the authors where {@code legacy} is false. */
  private static Head maskedLm(
      ModelConfig config, Weights weights, Embeddings embeddings, double epsilon) {
    boolean legacy = config.flag("legacy", true);
    String at = legacy ? "cls.predictions" : "lm_predictions.lm_head";
    String transform = legacy ? at + ".transform" : at;
    if (!legacy) {
      weights.ignore("mask_predictions.");
    }
    return new Head.MaskedLm(
        at,
        weights.linear(transform + ".dense"),
        Activation.named(config.text("hidden_act", "gelu")),
        weights.norm(transform + ".LayerNorm", epsilon),
        weights.decoder(
            at + ".decoder",
            embeddings.words(),
            at + ".bias",
            !legacy || config.flag("tie_word_embeddings", true)));
  }

  private static List<String> kinds(ModelConfig config) {
    return config.isText("pos_att_type")
        ? List.of(config.text("pos_att_type").split("\\|"))
        : config.texts("pos_att_type");
  }

  private static void check(ModelConfig config) {
    if (!config.flag("relative_attention", false)) {
      throw unsupported(config, "relative_attention false", "true");
    }
    List<String> kinds = kinds(config);
    if (kinds.isEmpty() || !Set.of("c2p", "p2c").containsAll(kinds)) {
      throw unsupported(config, "pos_att_type " + kinds, "c2p, p2c or both");
    }
    if (config.integer("conv_kernel_size", 0) > 0) {
      throw unsupported(
          config, "conv_kernel_size " + config.integer("conv_kernel_size"), "no convolution");
    }
    int hidden = config.integer("hidden_size");
    int embedded = config.integer("embedding_size", hidden);
    if (embedded != hidden) {
      throw unsupported(config, "embedding_size " + embedded, "hidden_size, " + hidden);
    }
    String norm = config.text("norm_rel_ebd", "none");
    if (!Set.of("none", "layer_norm").contains(norm)) {
      throw unsupported(config, "norm_rel_ebd \"" + norm + "\"", "none or layer_norm");
    }
  }

  private static ModelException unsupported(ModelConfig config, String found, String expected) {
    return new ModelException.Unsupported(
        "found "
            + found
            + " in "
            + config.path()
            + ", expected "
            + expected
            + "; a DeBERTa of this kind is not computed");
  }
}
