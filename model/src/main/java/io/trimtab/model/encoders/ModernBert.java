package io.trimtab.model.encoders;

import com.google.auto.service.AutoService;
import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Activation;
import io.trimtab.model.Architecture;
import io.trimtab.model.Embeddings;
import io.trimtab.model.Head;
import io.trimtab.model.Linear;
import io.trimtab.model.Model;
import io.trimtab.model.ModelException;
import io.trimtab.model.Norm;
import io.trimtab.model.Stack;
import io.trimtab.model.Weights;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * ModernBERT (Warner et al., 2024): an encoder with rotary positions whose layers look either at
 * the whole row or at a window. Reads the configurations of transformers 4 and 5.
 */
@AutoService(Architecture.class)
public final class ModernBert implements Architecture {
  private static final String GLOBAL = "full_attention";
  private static final String LOCAL = "sliding_attention";

  @Override
  public Set<String> modelTypes() {
    return Set.of("modernbert");
  }

  @Override
  public Parts build(ModelConfig config, Weights weights) {
    String prefix = weights.has("model.embeddings.tok_embeddings.weight") ? "model." : "";
    double epsilon = config.decimal("norm_eps", 1e-5);
    String at = prefix + "embeddings";
    Embeddings embeddings =
        new Embeddings(
            at,
            weights.embedding(at + ".tok_embeddings"),
            null,
            null,
            weights.normAsStored(at + ".norm", epsilon),
            null,
            0);
    List<String> kinds = layerKinds(config);
    List<ModernBertBlock> blocks =
        IntStream.range(0, kinds.size())
            .mapToObj(i -> block(prefix + "layers." + i, i, kinds.get(i), config, weights, epsilon))
            .toList();
    Norm last = weights.normAsStored(prefix + "final_norm", epsilon);
    Stack stack = new Stack(Stack.Role.ENCODER, prefix + "layers", embeddings, blocks, last);
    return new Parts(stack, heads(config, weights, embeddings, epsilon));
  }

  /** Whether each layer is global or local. */
  private static List<String> layerKinds(ModelConfig config) {
    int layers = config.integer("num_hidden_layers");
    if (!config.has("layer_types")) {
      int every = config.integer("global_attn_every_n_layers", 3);
      return IntStream.range(0, layers).mapToObj(i -> i % every == 0 ? GLOBAL : LOCAL).toList();
    }
    List<String> kinds = config.texts("layer_types");
    if (kinds.size() != layers || !Set.of(GLOBAL, LOCAL).containsAll(kinds)) {
      throw unsupported(config, "layer_types " + kinds, layers + " of " + GLOBAL + " or " + LOCAL);
    }
    return kinds;
  }

  private static ModernBertBlock block(
      String at, int index, String kind, ModelConfig config, Weights weights, double epsilon) {
    boolean local = kind.equals(LOCAL);
    return new ModernBertBlock(
        at,
        new ModernBertBlock.Parts(
            index == 0 ? null : weights.normAsStored(at + ".attn_norm", epsilon),
            weights.linearAsStored(at + ".attn.Wqkv"),
            weights.linearAsStored(at + ".attn.Wo"),
            weights.normAsStored(at + ".mlp_norm", epsilon),
            weights.linearAsStored(at + ".mlp.Wi"),
            Activation.named(config.text("hidden_activation", "gelu")),
            weights.linearAsStored(at + ".mlp.Wo")),
        config.integer("num_attention_heads"),
        theta(config, local),
        local ? config.integer("local_attention", 128) / 2 : Integer.MAX_VALUE);
  }

  /** The base of the rotary angles, as transformers 5 or as transformers 4 spells it. */
  private static double theta(ModelConfig config, boolean local) {
    if (config.has("rope_parameters")) {
      ModelConfig perKind = config.section("rope_parameters");
      String kind = local ? LOCAL : GLOBAL;
      if (!perKind.has(kind)) {
        throw unsupported(config, "rope_parameters without " + kind, "one section for each kind");
      }
      ModelConfig rope = perKind.section(kind);
      checkPlain(config, rope);
      return rope.decimal("rope_theta");
    }
    if (config.has("rope_scaling")) {
      checkPlain(config, config.section("rope_scaling"));
    }
    double global = config.decimal("global_rope_theta", 160_000);
    if (!local) {
      return global;
    }
    // Written out as null it means "the same"; left out it has a value of its own.
    boolean same = config.fields().contains("local_rope_theta") && !config.has("local_rope_theta");
    return same ? global : config.decimal("local_rope_theta", 10_000);
  }

  private static void checkPlain(ModelConfig config, ModelConfig rope) {
    String type = rope.text(rope.firstOf("rope_type", "type"), "default");
    if (!type.equals("default")) {
      throw unsupported(config, "rotary positions of type \"" + type + "\"", "default");
    }
    double share = rope.decimal("partial_rotary_factor", 1);
    if (share != 1) {
      throw unsupported(config, "partial_rotary_factor " + share, "1");
    }
  }

  private static List<Head> heads(
      ModelConfig config, Weights weights, Embeddings embeddings, double epsilon) {
    Task task = Task.of(config);
    if (task == Task.BARE) {
      return List.of();
    }
    Linear dense = weights.linearAsStored("head.dense");
    Activation activation = Activation.named(config.text("classifier_activation", "gelu"));
    Norm norm = weights.normAsStored("head.norm", epsilon);
    return switch (task) {
      case MASKED_LM ->
          List.of(
              new Head.MaskedLm(
                  "head",
                  dense,
                  activation,
                  norm,
                  weights.decoder(
                      "decoder",
                      embeddings.words(),
                      "decoder.bias",
                      config.flag("tie_word_embeddings", true))));
      case SEQUENCE_CLASSIFICATION -> {
        Model.Pooling pooling = pooling(config);
        Linear classifier = weights.linearAsStored("classifier");
        yield List.of(
            new Head.SequenceClassifier(
                "classifier", pooling, dense, activation, norm, classifier));
      }
      case TOKEN_CLASSIFICATION -> {
        Linear classifier = weights.linearAsStored("classifier");
        yield List.of(new Head.TokenClassifier("classifier", dense, activation, norm, classifier));
      }
      case BARE -> throw new IllegalStateException("handled above");
    };
  }

  private static Model.Pooling pooling(ModelConfig config) {
    String pooling = config.text("classifier_pooling", "cls");
    return switch (pooling) {
      case "cls" -> Model.Pooling.FIRST;
      case "mean" -> Model.Pooling.MEAN;
      default -> throw unsupported(config, "classifier_pooling \"" + pooling + "\"", "cls or mean");
    };
  }

  private static ModelException unsupported(ModelConfig config, String found, String expected) {
    return new ModelException.Unsupported(
        "found "
            + found
            + " in "
            + config.path()
            + ", expected "
            + expected
            + "; a ModernBERT of this kind is not computed");
  }
}
