package io.trimtab.hub;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a {@code config.json} says about rotary positions, in the spelling of transformers 5 ({@code
 * rope_parameters}) or in that of transformers 4 ({@code rope_theta}, {@code rope_scaling}), as
 * {@code rope_parameters} without gaps. Where a file has both, the former counts.
 */
final class RopeDefaults {
  static final String FULL = "full_attention";
  static final String SLIDING = "sliding_attention";

  private static final String NEW = "rope_parameters";
  private static final String OLD = "rope_scaling";
  private static final String TYPE = "rope_type";
  private static final String THETA = "rope_theta";
  private static final String SHARE = "partial_rotary_factor";
  private static final String ORIGINAL = "original_max_position_embeddings";
  private static final String ATTENTION = "attention_factor";

  private final ModelConfig config;
  private final ModelConfig nothing;

  RopeDefaults(ModelConfig config) {
    this.config = config;
    this.nothing = config.with(Map.of());
  }

  /** Positions that are the same in all blocks. */
  Map<String, @Nullable Object> all(double theta, double share) {
    String field = config.firstOf(NEW, OLD);
    ModelConfig section = config.has(field) ? config.section(field) : nothing;
    return filled(section, config.decimal(config.firstOf(THETA, "rotary_emb_base"), theta), share);
  }

  /** Gemma 3's positions: scaling is meant for blocks that see all. */
  Map<String, @Nullable Object> perKind(double full, double sliding) {
    Map<String, @Nullable Object> out = new LinkedHashMap<>();
    if (config.has(NEW)) {
      ModelConfig kinds = config.section(NEW);
      out.put(FULL, filled(kinds.has(FULL) ? kinds.section(FULL) : nothing, full, 1));
      out.put(SLIDING, filled(kinds.has(SLIDING) ? kinds.section(SLIDING) : nothing, sliding, 1));
    } else {
      ModelConfig scaling = config.has(OLD) ? config.section(OLD) : nothing;
      out.put(FULL, filled(scaling, config.decimal(THETA, full), 1));
      out.put(SLIDING, filled(nothing, config.decimal("rope_local_base_freq", sliding), 1));
    }
    return out;
  }

  private Map<String, @Nullable Object> filled(ModelConfig section, double theta, double share) {
    Map<String, @Nullable Object> out = new LinkedHashMap<>(section.raw());
    String type = type(section);
    out.remove("type");
    out.put(TYPE, type);
    out.put(THETA, section.decimal(THETA, theta));
    double part = config.decimal(config.firstOf(SHARE, "rotary_pct"), share);
    out.put(SHARE, section.decimal(SHARE, part));
    switch (type) {
      case "yarn" -> {
        double factor = stretched(section, out);
        out.put("factor", factor);
        out.put(ATTENTION, section.decimal(ATTENTION, yarn(section, factor)));
      }
      case "longrope" -> {
        double factor = stretched(section, out);
        out.put(ATTENTION, section.decimal(ATTENTION, longRope(factor, original(section))));
      }
      case "llama3" -> out.put(ORIGINAL, original(section));
      default -> {}
    }
    return out;
  }

  /** The name of today for a type: Phi 3 has had others for its own. */
  private String type(ModelConfig section) {
    String type = section.text(section.firstOf(TYPE, "type"), "default");
    boolean phi = type.equals("yarn") && config.text("model_type", "").equals("phi3");
    return type.equals("su") || phi ? "longrope" : type;
  }

  /** By how much rows may be longer than those that the model was first trained with. */
  private double stretched(ModelConfig section, Map<String, @Nullable Object> out) {
    int original = original(section);
    out.put(ORIGINAL, original);
    return section.has("factor") ? section.decimal("factor") : (double) longest() / original;
  }

  private int original(ModelConfig section) {
    int original =
        section.has(ORIGINAL) ? section.integer(ORIGINAL) : config.integer(ORIGINAL, longest());
    if (original < 2) {
      throw new HubException.Malformed(
          config.path() + ": field " + ORIGINAL + ": expected at least 2, found " + original);
    }
    return original;
  }

  private int longest() {
    return config.integer("max_position_embeddings", 2048);
  }

  /** YaRN (Peng et al., 2023), equation 22, by which scores are sharpened. */
  private static double yarn(ModelConfig section, double factor) {
    double one = section.decimal("mscale", 0);
    double all = section.decimal("mscale_all_dim", 0);
    return one != 0 && all != 0 ? scale(factor, one) / scale(factor, all) : scale(factor, 1);
  }

  private static double scale(double factor, double weight) {
    return factor <= 1 ? 1 : 0.1 * weight * Math.log(factor) + 1;
  }

  /** LongRoPE (Ding et al., 2024). */
  private static double longRope(double factor, double original) {
    return factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(original));
  }
}
