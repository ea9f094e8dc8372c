package io.trimtab.model.decoders;

import io.trimtab.hub.ModelConfig;
import io.trimtab.model.ModelException;
import java.util.List;
import java.util.Map;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;

/** Fields of configurations that several decoders have. */
final class Fields {
  static final String FULL = "full_attention";
  static final String SLIDING = "sliding_attention";

  /** Fields that change what is computed wherever they appear, and the values that do not. */
  private static final Map<String, Double> NEUTRAL =
      Map.ofEntries(
          Map.entry("embedding_multiplier", 1.0),
          Map.entry("residual_multiplier", 1.0),
          Map.entry("logits_scaling", 1.0),
          Map.entry("logit_scale", 1.0),
          Map.entry("scale_emb", 1.0),
          Map.entry("attention_chunk_size", 0.0),
          Map.entry("clip_qkv", 0.0));

  private static final List<String> ABSENT = List.of("quantization_config", "attention_multiplier");

  private static final List<String> FALSE =
      List.of("add_cross_attention", "use_bidirectional_attention", "is_encoder_decoder", "alibi");

  private Fields() {}

  /** Refuses fields that change what is computed in a way that no decoder here knows. */
  static void refuse(ModelConfig config) {
    NEUTRAL.forEach(
        (field, neutral) -> {
          if (config.has(field) && config.decimal(field) != neutral) {
            throw unsupported(config, field + " " + config.decimal(field), "none");
          }
        });
    for (String field : ABSENT) {
      if (config.has(field)) {
        throw unsupported(config, field, "none");
      }
    }
    for (String field : FALSE) {
      if (config.flag(field, false)) {
        throw unsupported(config, field + " true", "false");
      }
    }
  }

  /** Whether the model class is a causal language model rather than a bare decoder. */
  static boolean isLanguageModel(ModelConfig config) {
    String name = config.architectures().stream().findFirst().orElse("ForCausalLM");
    if (name.endsWith("ForCausalLM") || name.endsWith("LMHeadModel")) {
      return true;
    }
    if (name.endsWith("Model")) {
      return false;
    }
    throw new ModelException.Unsupported(
        "found model class "
            + name
            + " in "
            + config.path()
            + ", expected one that ends in ForCausalLM, LMHeadModel or Model; other heads of"
            + " decoders are not read yet");
  }

  /** Whether each block sees a window alone, as {@code layer_types} say. */
  static List<Boolean> sliding(ModelConfig config, int layers) {
    List<String> kinds = config.texts("layer_types");
    if (kinds.size() != layers || !List.of(FULL, SLIDING).containsAll(kinds)) {
      throw unsupported(config, "layer_types " + kinds, layers + " of " + FULL + " or " + SLIDING);
    }
    return kinds.stream().map(SLIDING::equals).toList();
  }

  /** The same by number where the configuration has no {@code layer_types}. */
  static List<Boolean> sliding(ModelConfig config, int layers, IntPredicate otherwise) {
    return config.has("layer_types")
        ? sliding(config, layers)
        : IntStream.range(0, layers).mapToObj(otherwise::test).toList();
  }

  /** The field {@code sliding_window}, or 0 where there is none. */
  static int window(ModelConfig config) {
    int window = config.integer("sliding_window", 0);
    if (window < 0) {
      throw unsupported(config, "sliding_window " + window, "a number of tokens");
    }
    return window;
  }

  static ModelException unsupported(ModelConfig config, String found, String expected) {
    return new ModelException.Unsupported(
        "found "
            + found
            + " in "
            + config.path()
            + ", expected "
            + expected
            + "; a "
            + config.modelType()
            + " of this kind is not computed");
  }
}
