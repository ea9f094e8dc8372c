package io.trimtab.model.decoders;

import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Rotary;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads rotary positions with their scaling for long rows, in the spelling of transformers 5
 * ({@code rope_parameters}) and in that of transformers 4 ({@code rope_theta}, {@code
 * rope_scaling}).
 *
 * @param config of the model
 * @param rope the section about positions; the model's own where there is none
 * @param headSize numbers a head
 * @param theta the base of the angles
 * @param share how much of each head is turned
 */
record Rope(ModelConfig config, ModelConfig rope, int headSize, double theta, double share) {
  private static final Set<String> KNOWN =
      Set.of(
          "rope_type",
          "type",
          "rope_theta",
          "partial_rotary_factor",
          "factor",
          "original_max_position_embeddings",
          "attention_factor",
          "beta_fast",
          "beta_slow",
          "mscale",
          "mscale_all_dim",
          "truncate",
          "low_freq_factor",
          "high_freq_factor",
          "short_factor",
          "long_factor",
          "short_mscale",
          "long_mscale");

  /** Positions that are the same in all blocks. */
  static Rotary read(ModelConfig config, int headSize, double theta) {
    return read(config, headSize, theta, 1);
  }

  /** The same with another share of each head where the configuration names none. */
  static Rotary read(ModelConfig config, int headSize, double theta, double share) {
    String thetas = config.firstOf("rope_theta", "rotary_emb_base");
    return of(config, section(config), headSize, config.decimal(thetas, theta), share).rotary();
  }

  /**
   * Positions of one kind of blocks, whose section is named by the kind.
   *
   * @param theta where neither the section nor {@code oldTheta} says
   * @param oldTheta the field of transformers 4
   * @param scaled whether the old {@code rope_scaling} is meant for this kind
   */
  static Rotary read(
      ModelConfig config,
      int headSize,
      String kind,
      double theta,
      String oldTheta,
      boolean scaled) {
    if (config.has("rope_parameters")) {
      ModelConfig perKind = config.section("rope_parameters");
      ModelConfig own = perKind.has(kind) ? perKind.section(kind) : null;
      return of(config, own, headSize, theta, 1).rotary();
    }
    ModelConfig old = scaled && config.has("rope_scaling") ? config.section("rope_scaling") : null;
    return of(config, old, headSize, config.decimal(oldTheta, theta), 1).rotary();
  }

  private static @Nullable ModelConfig section(ModelConfig config) {
    String field = config.firstOf("rope_parameters", "rope_scaling");
    return config.has(field) ? config.section(field) : null;
  }

  private static Rope of(
      ModelConfig config, @Nullable ModelConfig section, int headSize, double base, double share) {
    String shares = config.firstOf("partial_rotary_factor", "rotary_pct");
    double part = config.decimal(shares, share);
    if (section == null) {
      return new Rope(config, config, headSize, base, part);
    }
    for (String field : section.fields()) {
      if (!KNOWN.contains(field)) {
        throw Fields.unsupported(
            config, "the field " + field + " about rotary positions", "fields that are known");
      }
    }
    return new Rope(
        config,
        section,
        headSize,
        section.decimal("rope_theta", base),
        section.decimal("partial_rotary_factor", part));
  }

  private int size() {
    return (int) (headSize * share);
  }

  private double factor() {
    return rope.decimal("factor");
  }

  /** The number of tokens that the model was first trained with. */
  private int original() {
    int all = config.integer("max_position_embeddings", 2048);
    return rope.integer(
        "original_max_position_embeddings",
        config.integer("original_max_position_embeddings", all));
  }

  private Rotary rotary() {
    if (size() < 2 || size() > headSize || size() % 2 != 0) {
      throw Fields.unsupported(
          config, "rotary positions in " + size() + " numbers of a head", "an even number");
    }
    String type =
        rope == config ? "default" : rope.text(rope.firstOf("rope_type", "type"), "default");
    return switch (type) {
      case "default" -> Rotary.of(size(), theta);
      case "linear" -> Rotary.of(divided(Rotary.speeds(size(), theta), factor()), 1);
      case "dynamic" -> dynamic();
      case "yarn" -> config.modelType().equals("phi3") ? longRope() : yarn();
      case "longrope", "su" -> longRope();
      case "llama3" -> llama3();
      default ->
          throw Fields.unsupported(
              config,
              "rotary positions of type \"" + type + "\"",
              "default, linear, dynamic, yarn, longrope or llama3");
    };
  }

  private static float[] divided(float[] speeds, double by) {
    float[] slower = new float[speeds.length];
    for (int i = 0; i < slower.length; i++) {
      slower[i] = (float) (speeds[i] / by);
    }
    return slower;
  }

  /** A base that grows with the row, once that is longer than the model was trained with. */
  private Rotary dynamic() {
    int size = size();
    int most = config.integer("max_position_embeddings", 2048);
    double factor = factor();
    return Rotary.byLength(
        length -> {
          double growth = factor * Math.max(length, most) / most - (factor - 1);
          return Rotary.speeds(size, theta * Math.pow(growth, size / (size - 2.0)));
        },
        1);
  }

  /**
   * YaRN (Peng et al., 2023, section 3): pairs that turn often within the original length keep
   * their speed, those that turn less than once are slowed down by the factor, with a ramp between.
   */
  private Rotary yarn() {
    int size = size();
    double original = original();
    double factor =
        rope.has("factor") ? factor() : config.integer("max_position_embeddings", 2048) / original;
    double low = turning(positive("beta_fast", 32), original);
    double high = turning(positive("beta_slow", 1), original);
    if (rope.flag("truncate", true)) {
      low = Math.floor(low);
      high = Math.ceil(high);
    }
    double first = Math.max(low, 0);
    double last = Math.min(high, size - 1.0);
    double width = first == last ? 0.001 : last - first;
    float[] speeds = Rotary.speeds(size, theta);
    for (int i = 0; i < speeds.length; i++) {
      double slowed = Math.clamp((i - first) / width, 0, 1);
      speeds[i] = (float) (speeds[i] / factor * slowed + speeds[i] * (1 - slowed));
    }
    return Rotary.of(speeds, rope.decimal("attention_factor", yarnFactor(factor)));
  }

  private double positive(String field, double fallback) {
    double value = rope.decimal(field, fallback);
    return value == 0 ? fallback : value;
  }

  /** The number of the pair that turns so many times within a length. */
  private double turning(double times, double length) {
    return size() * Math.log(length / (times * 2 * Math.PI)) / (2 * Math.log(theta));
  }

  private double yarnFactor(double factor) {
    double one = rope.decimal("mscale", 0);
    double all = rope.decimal("mscale_all_dim", 0);
    return one != 0 && all != 0 ? mscale(factor, one) / mscale(factor, all) : mscale(factor, 1);
  }

  private static double mscale(double factor, double weight) {
    return factor <= 1 ? 1 : 0.1 * weight * Math.log(factor) + 1;
  }

  /** LongRoPE (Ding et al., 2024): a divisor for each pair, other ones for long rows. */
  private Rotary longRope() {
    double original = original();
    double factor =
        rope.has("factor") ? factor() : config.integer("max_position_embeddings", 2048) / original;
    double usual = factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(original));
    float[] plain = Rotary.speeds(size(), theta);
    float[] shortOnes = divided(plain, "short_factor");
    float[] longOnes = divided(plain, "long_factor");
    for (String field : new String[] {"short_mscale", "long_mscale"}) {
      if (rope.has(field)) {
        throw Fields.unsupported(config, field, "longrope with one attention_factor");
      }
    }
    return Rotary.byLength(
        length -> length > original ? longOnes : shortOnes,
        rope.decimal("attention_factor", usual));
  }

  private float[] divided(float[] plain, String field) {
    java.util.List<Double> by = rope.decimals(field);
    if (by.size() != plain.length) {
      throw Fields.unsupported(
          config, by.size() + " numbers in " + field, "one a pair, " + plain.length);
    }
    float[] speeds = new float[plain.length];
    for (int i = 0; i < speeds.length; i++) {
      speeds[i] = (float) (plain[i] / by.get(i));
    }
    return speeds;
  }

  /**
   * Llama 3.1: pairs whose wave is longer than the original length are slowed down by the factor,
   * short ones are kept, with a smooth passage between.
   */
  private Rotary llama3() {
    double factor = factor();
    double slowest = rope.decimal("low_freq_factor");
    double fastest = rope.decimal("high_freq_factor");
    double original = original();
    float[] speeds = Rotary.speeds(size(), theta);
    for (int i = 0; i < speeds.length; i++) {
      double wave = 2 * Math.PI / speeds[i];
      double kept = Math.clamp((original / wave - slowest) / (fastest - slowest), 0, 1);
      speeds[i] = (float) ((1 - kept) * speeds[i] / factor + kept * speeds[i]);
    }
    return Rotary.of(speeds, 1);
  }
}
