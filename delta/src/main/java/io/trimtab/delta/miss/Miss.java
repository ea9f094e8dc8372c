package io.trimtab.delta.miss;

import io.trimtab.delta.Address;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.Part;
import io.trimtab.delta.PeftFields;
import io.trimtab.delta.Targets;
import io.trimtab.model.Linear;
import io.trimtab.model.Model;
import io.trimtab.tensor.Rng;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Settings of MiSS (Kang and Yin, 2024, section 3). The columns of W are cut into shards of {@code
 * rank}, and all get the same D, [rank, out], zero at the start:
 *
 * <ul>
 *   <li>{@link Variant#SHARED}: W x + Dᵀ (Σ shards of x).
 *   <li>{@link Variant#MINI}: D is [rank, mini], repeated along the outputs.
 *   <li>{@link Variant#BAT}: the rows of W are cut into out / rank groups too; a block V of W in
 *       group g gets V D_g + D_g, D being [out / rank, rank, rank].
 * </ul>
 *
 * @param rank the width of a shard
 * @param variant how D is used
 * @param mini the outputs after which D repeats; only {@link Variant#MINI} reads it
 * @param dropout the probability that an input is dropped in training; {@link Variant#BAT}, which
 *     changes the weight, has none
 * @param targets the linear layers it goes on
 */
public record Miss(int rank, Variant variant, int mini, double dropout, Targets targets)
    implements DeltaSpec {
  /** How the trained matrix is used. */
  public enum Variant {
    /** The same shard for all blocks of columns. */
    SHARED,
    /** Blocks that depend on the weight's own. */
    BAT,
    /** The shard repeated along the outputs too. */
    MINI
  }

  /** Checks ranges. */
  public Miss {
    PeftFields.checkRank(rank, 64);
    PeftFields.checkDropout("dropout", dropout);
    if (mini < 1) {
      throw new DeltaException("found mini " + mini + ", expected 1 or more outputs");
    }
    if (variant == Variant.BAT && dropout > 0) {
      throw new DeltaException(
          "found dropout "
              + dropout
              + " for MiSS's variant bat, expected 0, since it changes the weight and not the"
              + " input; leave it out");
    }
  }

  /** MiSS of a rank, no dropout, on query and value. */
  public static Miss rank(int rank) {
    return new Miss(
        rank, Variant.SHARED, 1, 0, Targets.of(Address.suffixes(List.of("query", "value"))));
  }

  /** The same with blocks that depend on the weight's own. */
  public Miss bat() {
    return new Miss(rank, Variant.BAT, mini, dropout, targets);
  }

  /** The same with D repeated after some outputs. */
  public Miss mini(int outputs) {
    return new Miss(rank, Variant.MINI, outputs, dropout, targets);
  }

  /** The same with dropout of inputs. */
  public Miss dropout(double probability) {
    return new Miss(rank, variant, mini, probability, targets);
  }

  /** The same on other layers. */
  public Miss on(Targets where) {
    return new Miss(rank, variant, mini, dropout, where);
  }

  /** The same on the layers of these suffixes. */
  public Miss on(String... suffixes) {
    return on(Targets.of(Address.suffixes(List.of(suffixes))));
  }

  @Override
  public DeltaMethod method() {
    return new MissMethod();
  }

  @Override
  public List<Part> parts(Model model, Rng rng) {
    return targets.parts(model, "MiSS", layer -> part(layer));
  }

  /** The part on one layer. */
  Part part(Linear layer) {
    check(layer);
    return variant == Variant.BAT
        ? MissBlocks.create(layer, rank)
        : MissLinear.create(
            layer, rank, variant == Variant.MINI ? mini : layer.weight().out(), dropout);
  }

  private void check(Linear layer) {
    long in = layer.weight().in();
    long out = layer.weight().out();
    if (rank > in) {
      throw unfit(layer, "rank " + rank, "at most its " + in + " inputs");
    }
    if (variant == Variant.BAT && (in % rank != 0 || out % rank != 0)) {
      throw unfit(
          layer,
          "rank " + rank,
          "for bat a divisor of its " + in + " inputs and " + out + " outputs");
    }
    if (variant == Variant.MINI && out % mini != 0) {
      throw unfit(layer, "mini " + mini, "a divisor of its " + out + " outputs");
    }
  }

  private static DeltaException unfit(Linear layer, String found, String expected) {
    return new DeltaException(
        "found " + found + " for MiSS at " + layer.path() + ", expected " + expected);
  }

  @Override
  public Map<String, Object> toConfig(Model model) {
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("r", rank);
    config.put("mini_r", mini);
    config.put("miss_dropout", dropout);
    config.put(
        "init_weights",
        switch (variant) {
          case SHARED -> true;
          case BAT -> "bat";
          case MINI -> "mini";
        });
    config.put("bias", "none");
    targets.write(model, config);
    return config;
  }
}
