package io.trimtab.model.decoders;

import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Rotary;
import java.util.Set;

/**
 * Reads rotary positions with their scaling for long rows from a configuration that {@link
 * io.trimtab.hub.DecoderDefaults} has completed.
 *
 * @param config of the model
 * @param rope the section about positions
 * @param headSize numbers a head
 */
record Rope(ModelConfig config, ModelConfig rope, int headSize) {
  private static final Set<String> KNOWN =
      Set.of(
          "rope_type",
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
  static Rotary read(ModelConfig config, int headSize) {
    return of(config, config.section("rope_parameters"), headSize);
  }

  /** Positions of one kind of blocks, whose section is named by the kind. */
  static Rotary read(ModelConfig config, int headSize, String kind) {
    return of(config, config.section("rope_parameters").section(kind), headSize);
  }

  private static Rotary of(ModelConfig config, ModelConfig section, int headSize) {
    for (String field : section.fields()) {
      if (!KNOWN.contains(field)) {
        throw Fields.unsupported(
            config, "the field " + field + " about rotary positions", "fields that are known");
      }
    }
    return new Rope(config, section, headSize).rotary();
  }

  private int size() {
    return (int) (headSize * rope.decimal("partial_rotary_factor"));
  }

  private double theta() {
    return rope.decimal("rope_theta");
  }

  private double factor() {
    return rope.decimal("factor");
  }

  /** The number of tokens that the model was first trained with. */
  private int original() {
    return rope.integer("original_max_position_embeddings");
  }

  private Rotary rotary() {
    if (size() < 2 || size() > headSize || size() % 2 != 0) {
      throw Fields.unsupported(
          config, "rotary positions in " + size() + " numbers of a head", "an even number");
    }
    String type = rope.text("rope_type");
    return switch (type) {
      case "default" -> Rotary.of(size(), theta());
      case "linear" -> Rotary.of(divided(Rotary.speeds(size(), theta()), factor()), 1);
      case "dynamic" -> dynamic();
      case "yarn" -> yarn();
      case "longrope" -> longRope();
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
          return Rotary.speeds(size, theta() * Math.pow(growth, size / (size - 2.0)));
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
    double low = turning(positive("beta_fast", 32), original);
    double high = turning(positive("beta_slow", 1), original);
    if (rope.flag("truncate", true)) {
      low = Math.floor(low);
      high = Math.ceil(high);
    }
    double first = Math.max(low, 0);
    double last = Math.min(high, size - 1.0);
    double width = first == last ? 0.001 : last - first;
    float[] speeds = Rotary.speeds(size, theta());
    for (int i = 0; i < speeds.length; i++) {
      double slowed = Math.clamp((i - first) / width, 0, 1);
      speeds[i] = (float) (speeds[i] / factor() * slowed + speeds[i] * (1 - slowed));
    }
    return Rotary.of(speeds, rope.decimal("attention_factor"));
  }

  private double positive(String field, double fallback) {
    double value = rope.decimal(field, fallback);
    return value == 0 ? fallback : value;
  }

  /** The number of the pair that turns so many times within a length. */
  private double turning(double times, double length) {
    return size() * Math.log(length / (times * 2 * Math.PI)) / (2 * Math.log(theta()));
  }

  /** LongRoPE (Ding et al., 2024): a divisor for each pair, other ones for long rows. */
  private Rotary longRope() {
    double original = original();
    float[] plain = Rotary.speeds(size(), theta());
    float[] shortOnes = divided(plain, "short_factor");
    float[] longOnes = divided(plain, "long_factor");
    for (String field : new String[] {"short_mscale", "long_mscale"}) {
      if (rope.has(field)) {
        throw Fields.unsupported(config, field, "longrope with one attention_factor");
      }
    }
    return Rotary.byLength(
        length -> length > original ? longOnes : shortOnes, rope.decimal("attention_factor"));
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
    float[] speeds = Rotary.speeds(size(), theta());
    for (int i = 0; i < speeds.length; i++) {
      double wave = 2 * Math.PI / speeds[i];
      double kept = Math.clamp((original / wave - slowest) / (fastest - slowest), 0, 1);
      speeds[i] = (float) ((1 - kept) * speeds[i] / factor + kept * speeds[i]);
    }
    return Rotary.of(speeds, 1);
  }
}
