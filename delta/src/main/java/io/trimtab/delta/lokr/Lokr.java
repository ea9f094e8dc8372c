package io.trimtab.delta.lokr;

import io.trimtab.delta.Address;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.LycorisDropout;
import io.trimtab.delta.Part;
import io.trimtab.delta.PeftFields;
import io.trimtab.delta.RankPatterns;
import io.trimtab.delta.Targets;
import io.trimtab.model.Linear;
import io.trimtab.model.Model;
import io.trimtab.tensor.Rng;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Settings of LoKr (Yeh et al., 2023, section 3): ΔW = alpha / rank · w1 ⊗ w2. With out = a·b and
 * in = c·d, w1 is [a, c] and w2 [b, d]. A factor of which the rank is less than half its larger
 * side is itself a product of two thin ones, w2 always, w1 where {@code both}.
 *
 * @param rank the inner size of factors that are products
 * @param alpha the numerator of the scale
 * @param factor the wanted size of w1's sides a and c: the largest divisor up to it is taken; -1
 *     for divisors near the square root
 * @param both whether w1 too may be a product
 * @param patterns other ranks and alphas for some layers
 * @param dropout what is left out in training
 * @param targets the linear layers it goes on
 */
public record Lokr(
    int rank,
    double alpha,
    int factor,
    boolean both,
    RankPatterns patterns,
    LycorisDropout dropout,
    Targets targets)
    implements DeltaSpec {
  /** Checks ranges. */
  public Lokr {
    PeftFields.checkRank(rank, 8);
    PeftFields.checkFinite("alpha", alpha);
    if (factor != -1 && factor < 1) {
      throw new DeltaException(
          "found factor " + factor + ", expected 1 or more, or -1 for near the square root");
    }
  }

  /** LoKr of a rank with alpha as large, near-square factors, no dropout, on query and value. */
  public static Lokr rank(int rank) {
    return new Lokr(
        rank,
        rank,
        -1,
        false,
        RankPatterns.NONE,
        LycorisDropout.NONE,
        Targets.of(Address.suffixes(List.of("query", "value"))));
  }

  /** The same with another alpha. */
  public Lokr alpha(double value) {
    return new Lokr(rank, value, factor, both, patterns, dropout, targets);
  }

  /** The same with another size of w1. */
  public Lokr factor(int value) {
    return new Lokr(rank, alpha, value, both, patterns, dropout, targets);
  }

  /** The same with w1 perhaps a product of thin matrices too. */
  public Lokr both(boolean value) {
    return new Lokr(rank, alpha, factor, value, patterns, dropout, targets);
  }

  /** The same with other ranks and alphas for some layers. */
  public Lokr patterns(RankPatterns some) {
    return new Lokr(rank, alpha, factor, both, some, dropout, targets);
  }

  /** The same with parts left out in training. */
  public Lokr dropout(LycorisDropout what) {
    return new Lokr(rank, alpha, factor, both, patterns, what, targets);
  }

  /** The same on other layers. */
  public Lokr on(Targets where) {
    return new Lokr(rank, alpha, factor, both, patterns, dropout, where);
  }

  /** The same on the layers of these suffixes. */
  public Lokr on(String... suffixes) {
    return on(Targets.of(Address.suffixes(List.of(suffixes))));
  }

  @Override
  public DeltaMethod method() {
    return new LokrMethod();
  }

  @Override
  public List<Part> parts(Model model, Rng rng) {
    return targets.parts(model, "LoKr", layer -> part(layer, rng));
  }

  /** The part on one layer. */
  Part part(Linear layer, Rng rng) {
    int own = patterns.rank(layer.path(), rank);
    double scale = patterns.alpha(layer.path(), alpha) / own;
    return LokrLinear.create(layer, own, scale, factor, both, dropout, rng);
  }

  @Override
  public Map<String, Object> toConfig(Model model) {
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("r", rank);
    config.put("alpha", PeftFields.number(alpha));
    config.put("decompose_factor", factor);
    config.put("decompose_both", both);
    config.put("rank_dropout", dropout.outputs());
    config.put("rank_dropout_scale", dropout.scaled());
    config.put("module_dropout", dropout.module());
    config.put("use_effective_conv2d", false);
    config.put("init_weights", true);
    patterns.write(config);
    targets.write(model, config);
    return config;
  }
}
