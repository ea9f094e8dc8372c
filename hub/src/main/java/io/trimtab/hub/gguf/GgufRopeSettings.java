package io.trimtab.hub.gguf;

import io.trimtab.hub.HubException;
import io.trimtab.hub.ModelConfig;
import java.util.SequencedMap;

/**
 * The rotary embedding of a {@code config.json} that {@link io.trimtab.hub.DecoderDefaults} has
 * completed, as metadata and tensors of a GGUF file.
 */
final class GgufRopeSettings {
  private final ModelConfig config;
  private final GgufArchitecture architecture;
  private final int headSize;
  private final SequencedMap<String, GgufValue> metadata;
  private final SequencedMap<String, GgufWriter.Source> sources;

  GgufRopeSettings(
      ModelConfig config,
      GgufArchitecture architecture,
      int headSize,
      SequencedMap<String, GgufValue> metadata,
      SequencedMap<String, GgufWriter.Source> sources) {
    this.config = config;
    this.architecture = architecture;
    this.headSize = headSize;
    this.metadata = metadata;
    this.sources = sources;
  }

  void put() {
    ModelConfig rope = config.section("rope_parameters");
    if (architecture == GgufArchitecture.GEMMA3) {
      ModelConfig local = rope.section("sliding_attention");
      if (!local.text("rope_type").equals("default")) {
        throw unsupported("scaling in layers with a window");
      }
      real("rope.freq_base_swa", local.decimal("rope_theta"));
      rope = rope.section("full_attention");
    }
    double base = rope.decimal("rope_theta");
    real("rope.freq_base", base);
    int turned = (int) (headSize * rope.decimal("partial_rotary_factor"));
    boolean partly =
        architecture == GgufArchitecture.GPT_NEOX || architecture == GgufArchitecture.PHI3;
    if (turned != headSize && !partly) {
      throw unsupported("in %d of %d values of a head".formatted(turned, headSize));
    }
    metadata.put(key("rope.dimension_count"), GgufValue.count(turned));
    scaled(rope, base, turned);
  }

  private void scaled(ModelConfig rope, double base, int turned) {
    String type = rope.text("rope_type");
    switch (type) {
      case "default" -> {}
      case "linear" -> {
        metadata.put(key("rope.scaling.type"), GgufValue.text(type));
        real("rope.scaling.factor", rope.decimal("factor"));
      }
      case "yarn" -> yarn(rope);
      case "llama3" -> {
        var rule =
            new Llama3Rope(
                rope.decimal("factor"),
                rope.decimal("low_freq_factor"),
                rope.decimal("high_freq_factor"),
                original(rope));
        sources.put("rope_freqs.weight", Floats.of(rule.factors(base, turned)));
      }
      case "longrope" -> {
        if (rope.has("short_mscale") || rope.has("long_mscale")) {
          throw unsupported("with short_mscale and long_mscale");
        }
        metadata.put(key("rope.scaling.type"), GgufValue.text(type));
        metadata.put(key("rope.scaling.original_context_length"), GgufValue.count(original(rope)));
        real("rope.scaling.attn_factor", rope.decimal("attention_factor"));
        sources.put("rope_factors_long.weight", Floats.of(rope.decimals("long_factor")));
        sources.put("rope_factors_short.weight", Floats.of(rope.decimals("short_factor")));
      }
      default ->
          throw unsupported(
              "of type " + type + "; expected default, linear, yarn, llama3, longrope");
    }
  }

  private void yarn(ModelConfig rope) {
    // llama.cpp has these for granted whatever a file says.
    if (rope.decimal("beta_fast", 32) != 32
        || rope.decimal("beta_slow", 1) != 1
        || !rope.flag("truncate", true)) {
      throw unsupported("of type yarn with other bounds than 32 and 1, rounded");
    }
    double factor = rope.decimal("factor");
    metadata.put(key("rope.scaling.type"), GgufValue.text("yarn"));
    real("rope.scaling.factor", factor);
    metadata.put(key("rope.scaling.original_context_length"), GgufValue.count(original(rope)));
    double usual = GgufRope.yarnAttention(factor);
    if (Math.abs(rope.decimal("attention_factor") - usual) > 1e-6) {
      real("rope.scaling.attn_factor", rope.decimal("attention_factor") / usual);
    }
  }

  private static int original(ModelConfig rope) {
    return rope.integer("original_max_position_embeddings");
  }

  private HubException unsupported(String what) {
    return new HubException.Unsupported(
        "%s: rotary embeddings %s cannot be said in a GGUF file of %s"
            .formatted(config.path(), what, architecture.gguf()));
  }

  private String key(String name) {
    return architecture.gguf() + "." + name;
  }

  private void real(String name, double value) {
    metadata.put(key(name), GgufValue.real(value));
  }
}
