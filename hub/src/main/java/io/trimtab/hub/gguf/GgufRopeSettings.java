package io.trimtab.hub.gguf;

import io.trimtab.hub.HubException;
import io.trimtab.hub.ModelConfig;
import io.trimtab.hub.blocks.BlockFormat;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/**
 * The rotary embedding of a {@code config.json} as metadata and tensors of a GGUF file. Both the
 * spelling of transformers 5 ({@code rope_parameters}) and that before ({@code rope_theta}, {@code
 * rope_scaling}) are read.
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
    ModelConfig none = ModelConfig.of(Map.of(), config.path());
    ModelConfig parameters =
        config.has("rope_parameters") ? config.section("rope_parameters") : none;
    ModelConfig local = none;
    if (parameters.has("full_attention")) {
      local = parameters.section("sliding_attention");
      parameters = parameters.section("full_attention");
    }
    ModelConfig scaling = config.has("rope_scaling") ? config.section("rope_scaling") : parameters;
    double base =
        parameters.decimal(
            "rope_theta", config.decimal(config.firstOf("rope_theta", "rotary_emb_base"), 10_000));
    real("rope.freq_base", base);
    if (architecture == GgufArchitecture.GEMMA3) {
      double slow = local.decimal("rope_theta", config.decimal("rope_local_base_freq", 10_000));
      if (slow != 10_000) {
        real("rope.freq_base_swa", slow);
      }
    }
    double part =
        parameters.decimal(
            "partial_rotary_factor",
            config.decimal(config.firstOf("partial_rotary_factor", "rotary_pct"), 1));
    int turned = (int) (headSize * part);
    metadata.put(key("rope.dimension_count"), GgufValue.count(turned));
    scaled(scaling, base, turned);
  }

  private void scaled(ModelConfig scaling, double base, int turned) {
    String type = scaling.text(scaling.firstOf("rope_type", "type"), "default");
    switch (type) {
      case "default" -> {}
      case "linear", "yarn" -> {
        metadata.put(key("rope.scaling.type"), GgufValue.text(type));
        real("rope.scaling.factor", scaling.decimal("factor"));
        if (type.equals("yarn")) {
          metadata.put(
              key("rope.scaling.original_context_length"),
              GgufValue.count(
                  scaling.integer(
                      "original_max_position_embeddings",
                      config.integer("max_position_embeddings"))));
          for (String field : List.of("beta_fast", "beta_slow")) {
            if (scaling.has(field)) {
              real("rope.scaling.yarn_" + field, scaling.decimal(field));
            }
          }
          if (scaling.has("attention_factor")) {
            real("rope.scaling.yarn_attn_factor", scaling.decimal("attention_factor"));
          }
        }
      }
      case "llama3" -> {
        var rule =
            new Llama3Rope(
                scaling.decimal("factor"),
                scaling.decimal("low_freq_factor"),
                scaling.decimal("high_freq_factor"),
                scaling.integer("original_max_position_embeddings"));
        sources.put("rope_freqs.weight", new Vector(rule.factors(base, turned)));
      }
      case "longrope", "su" -> {
        metadata.put(key("rope.scaling.type"), GgufValue.text("longrope"));
        int original =
            scaling.integer(
                "original_max_position_embeddings",
                config.integer("original_max_position_embeddings"));
        double stretch = (double) config.integer("max_position_embeddings") / original;
        double attention = stretch > 1 ? Math.sqrt(1 + Math.log(stretch) / Math.log(original)) : 1;
        real("rope.scaling.attn_factor", scaling.decimal("attention_factor", attention));
        sources.put("rope_factors_long.weight", vector(scaling, "long_factor"));
        sources.put("rope_factors_short.weight", vector(scaling, "short_factor"));
      }
      default ->
          throw new HubException.Unsupported(
              config.path()
                  + ": rotary embeddings of type "
                  + type
                  + " cannot be said in a GGUF file; expected default, linear, yarn, llama3 or"
                  + " longrope");
    }
  }

  private static Vector vector(ModelConfig scaling, String field) {
    return new Vector(new ArrayList<>(scaling.decimals(field)));
  }

  private String key(String name) {
    return architecture.gguf() + "." + name;
  }

  private void real(String name, double value) {
    metadata.put(key(name), GgufValue.real(value));
  }

  /** A few numbers as a tensor. */
  private record Vector(List<Double> values) implements GgufWriter.Source {
    @Override
    public BlockFormat format() {
      return BlockFormat.F32;
    }

    @Override
    public long[] shape() {
      return new long[] {values.size()};
    }

    @Override
    public MemorySegment blocks(Arena scratch) {
      float[] floats = new float[values.size()];
      for (int i = 0; i < floats.length; i++) {
        floats[i] = values.get(i).floatValue();
      }
      MemorySegment out = scratch.allocate((long) floats.length * Float.BYTES, Float.BYTES);
      BlockFormat.F32.quantize(MemorySegment.ofArray(floats), out);
      return out;
    }
  }
}
