package io.trimtab.delta.shira;

import io.trimtab.delta.Address;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.Part;
import io.trimtab.delta.Targets;
import io.trimtab.delta.UntiedWeights;
import io.trimtab.model.Layer;
import io.trimtab.model.Linear;
import io.trimtab.model.Model;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Reduction;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import io.trimtab.tensor.TorchRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;

/**
 * Settings of SHiRA (Bhardwaj et al., 2024, section 3): W + S, S zero but for r (in + out) entries,
 * as many as LoRA of rank r would have; where they are is stored.
 *
 * @param rank r, which says how many entries are trained and no more
 * @param mask which entries
 * @param seed what a random mask is drawn from, by PyTorch's generator; empty for where that one
 *     starts when nobody seeds it
 * @param targets the linear layers it goes on
 */
public record Shira(int rank, Mask mask, OptionalInt seed, Targets targets) implements DeltaSpec {
  /** Which entries of a weight are trained. */
  public enum Mask {
    /** Random ones (SHiRA-Rand), the same for all weights of one shape. */
    RANDOM,
    /** Those of the largest magnitude (SHiRA-WM). */
    MAGNITUDE,
    /**
     * Those that a file names, chosen in a way that it does not tell; random ones in a delta that
     * is made anew.
     */
    STORED;

    /** What it is called in files and options. */
    String text() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** Checks ranges. */
  public Shira {
    if (rank < 1) {
      throw new DeltaException("found rank " + rank + ", expected at least 1; 32 is usual");
    }
  }

  /** As many random entries as LoRA of a rank, on query and value. */
  public static Shira rank(int rank) {
    Targets usual = Targets.of(Address.suffixes(List.of("query", "value")));
    return new Shira(rank, Mask.RANDOM, OptionalInt.empty(), usual);
  }

  /** The same with another choice of entries. */
  public Shira mask(Mask which) {
    return new Shira(rank, which, seed, targets);
  }

  /** The same with other random entries. */
  public Shira seed(int value) {
    return new Shira(rank, mask, OptionalInt.of(value), targets);
  }

  /** The same on other layers. */
  public Shira on(Targets where) {
    return new Shira(rank, mask, seed, where);
  }

  @Override
  public DeltaMethod method() {
    return new ShiraMethod();
  }

  @Override
  public List<Part> parts(Model model, Rng rng) {
    List<Part> parts = new ArrayList<>();
    Map<List<Long>, long[]> random = new HashMap<>();
    for (Linear linear : linears(model)) {
      long in = linear.weight().in();
      long out = linear.weight().out();
      long count = count(rank, linear);
      if (count > in * out) {
        throw new DeltaException(
            "found rank "
                + rank
                + " for SHiRA at "
                + linear.path()
                + ", expected at most "
                + in * out / (in + out)
                + ", which trains all of its "
                + in * out
                + " entries; choose a smaller one");
      }
      long[] places =
          mask == Mask.MAGNITUDE
              ? largest(linear.weight().dense(), count)
              : random.computeIfAbsent(List.of(in, out), ignored -> random(in * out, count));
      parts.add(ShiraLinear.create(linear, places));
    }
    parts.addAll(targets.saved(model).parts());
    return parts;
  }

  /** How many entries of a layer are trained. */
  static long count(int rank, Linear linear) {
    return rank * (linear.weight().in() + linear.weight().out());
  }

  private long[] random(long all, long count) {
    long start = seed.isPresent() ? seed.getAsInt() : TorchRandom.UNSEEDED;
    try (Scope _ = Scope.open();
        TorchRandom random = TorchRandom.seeded(start)) {
      long[] drawn = random.permutation(all).toLongs();
      return sorted(Arrays.copyOf(drawn, Math.toIntExact(count)));
    }
  }

  private static long[] largest(Tensor weight, long count) {
    try (Scope _ = Scope.open()) {
      Tensor sizes = Arithmetic.absolute(weight.reshape(-1));
      return sorted(Reduction.top(sizes, Math.toIntExact(count)).indices().toLongs());
    }
  }

  private static long[] sorted(long[] places) {
    Arrays.sort(places);
    return places;
  }

  private List<Linear> linears(Model model) {
    return UntiedWeights.check(targets.linears(model, "SHiRA"), "SHiRA");
  }

  @Override
  public Map<String, Object> toConfig(Model model) {
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("r", rank);
    // PEFT knows random masks only; for others it takes the places that are stored.
    config.put("mask_type", mask.text());
    config.put("random_seed", seed.isPresent() ? seed.getAsInt() : null);
    config.put("fan_in_fan_out", false);
    config.put("init_weights", true);
    targets.write(model, config);
    // PEFT's SHiRA can neither leave layers out nor be confined to blocks, so that all are named.
    config.keySet().removeAll(List.of("exclude_modules", "layers_to_transform", "layers_pattern"));
    config.put("target_modules", linears(model).stream().map(Layer::path).toList());
    return config;
  }
}
