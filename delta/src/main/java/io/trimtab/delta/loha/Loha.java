package io.trimtab.delta.loha;

import io.trimtab.delta.Address;
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
 * Settings of LoHa (Hyeon-Woo et al., 2021, section 2.2, proposition 1): ΔW = alpha / rank · (w1_a
 * w1_b) ⊙ (w2_a w2_b), of rank up to rank². w1_a and w2_a are [out, rank], w1_b and w2_b [rank,
 * in]; w2_b starts at zero.
 *
 * @param rank the inner size of both products
 * @param alpha the numerator of the scale
 * @param patterns other ranks and alphas for some layers
 * @param dropout what is left out in training
 * @param targets the linear layers it goes on
 */
public record Loha(
    int rank, double alpha, RankPatterns patterns, LycorisDropout dropout, Targets targets)
    implements DeltaSpec {
  /** Checks ranges. */
  public Loha {
    PeftFields.checkRank(rank, 8);
    PeftFields.checkFinite("alpha", alpha);
  }

  /** LoHa of a rank with alpha as large, no dropout, on query and value. */
  public static Loha rank(int rank) {
    return new Loha(
        rank,
        rank,
        RankPatterns.NONE,
        LycorisDropout.NONE,
        Targets.of(Address.suffixes(List.of("query", "value"))));
  }

  /** The same with another alpha. */
  public Loha alpha(double value) {
    return new Loha(rank, value, patterns, dropout, targets);
  }

  /** The same with other ranks and alphas for some layers. */
  public Loha patterns(RankPatterns some) {
    return new Loha(rank, alpha, some, dropout, targets);
  }

  /** The same with parts left out in training. */
  public Loha dropout(LycorisDropout what) {
    return new Loha(rank, alpha, patterns, what, targets);
  }

  /** The same on other layers. */
  public Loha on(Targets where) {
    return new Loha(rank, alpha, patterns, dropout, where);
  }

  /** The same on the layers of these suffixes. */
  public Loha on(String... suffixes) {
    return on(Targets.of(Address.suffixes(List.of(suffixes))));
  }

  @Override
  public DeltaMethod method() {
    return new LohaMethod();
  }

  @Override
  public List<Part> parts(Model model, Rng rng) {
    return targets.parts(model, "LoHa", layer -> part(layer, rng));
  }

  /** The part on one layer. */
  Part part(Linear layer, Rng rng) {
    int own = patterns.rank(layer.path(), rank);
    double scale = patterns.alpha(layer.path(), alpha) / own;
    return LohaLinear.create(layer, own, scale, dropout, rng);
  }

  @Override
  public Map<String, Object> toConfig(Model model) {
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("r", rank);
    config.put("alpha", PeftFields.number(alpha));
    config.put("rank_dropout", dropout.outputs());
    config.put("module_dropout", dropout.module());
    config.put("use_effective_conv2d", false);
    config.put("init_weights", true);
    patterns.write(config);
    targets.write(model, config);
    return config;
  }
}
