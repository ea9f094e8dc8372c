package io.trimtab.delta.fourierft;

import io.trimtab.delta.Address;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.Part;
import io.trimtab.delta.SizePattern;
import io.trimtab.delta.Targets;
import io.trimtab.delta.UntiedWeights;
import io.trimtab.model.Linear;
import io.trimtab.model.Model;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.TorchRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Settings of FourierFT (Gao et al., 2024, section 3): W + α Re(F⁻¹(S)), S zero but for n entries
 * at random places, which are trained. All layers of one shape have them at the same places.
 *
 * @param frequencies the number n of entries a layer
 * @param pattern other numbers for some layers
 * @param scaling α
 * @param seed which places: they are not stored but drawn again from it by PyTorch's generator
 * @param gaussian whether the entries start normally with deviation 1, as the authors' do, and so
 *     off the base; else they start at zero
 * @param targets the linear layers it goes on
 */
public record FourierFt(
    int frequencies,
    SizePattern pattern,
    double scaling,
    int seed,
    boolean gaussian,
    Targets targets)
    implements DeltaSpec {

  /** Checks ranges. */
  public FourierFt {
    checkCount(frequencies);
    pattern.sizes().values().forEach(FourierFt::checkCount);
    if (!Double.isFinite(scaling)) {
      throw new DeltaException("found scaling " + scaling + ", expected a finite number");
    }
  }

  private static void checkCount(int count) {
    if (count < 1) {
      throw new DeltaException(
          "found " + count + " frequencies for FourierFT, expected at least 1; 1000 is usual");
    }
  }

  /** So many entries, α = 150, that start at zero, on query and value. */
  public static FourierFt frequencies(int count) {
    Targets usual = Targets.of(Address.suffixes(List.of("query", "value")));
    return new FourierFt(
        count,
        SizePattern.NONE,
        FourierFtMethod.USUAL_SCALING,
        FourierFtMethod.USUAL_SEED,
        false,
        usual);
  }

  /** The same with another α. */
  public FourierFt scaling(double alpha) {
    return new FourierFt(frequencies, pattern, alpha, seed, gaussian, targets);
  }

  /** The same at other places. */
  public FourierFt seed(int value) {
    return new FourierFt(frequencies, pattern, scaling, value, gaussian, targets);
  }

  /** The same with the authors' start. */
  public FourierFt gaussian(boolean value) {
    return new FourierFt(frequencies, pattern, scaling, seed, value, targets);
  }

  /** The same on other layers. */
  public FourierFt on(Targets where) {
    return new FourierFt(frequencies, pattern, scaling, seed, gaussian, where);
  }

  @Override
  public DeltaMethod method() {
    return new FourierFtMethod();
  }

  @Override
  public List<Part> parts(Model model, Rng rng) {
    List<Part> parts = new ArrayList<>();
    Map<List<Long>, long[]> places = new HashMap<>();
    for (Linear linear : linears(model)) {
      int count = pattern.at(linear.path(), frequencies);
      long all = linear.weight().in() * linear.weight().out();
      if (count > all) {
        throw new DeltaException(
            "found "
                + count
                + " frequencies for FourierFT at "
                + linear.path()
                + ", expected at most the "
                + all
                + " its weight has; choose fewer");
      }
      long[] at = places.computeIfAbsent(List.of(all, (long) count), ignored -> places(all, count));
      parts.add(FourierFtLinear.create(linear, at, scaling, gaussian, rng));
    }
    parts.addAll(targets.saved(model).parts());
    return parts;
  }

  private long[] places(long all, int count) {
    try (Scope _ = Scope.open();
        TorchRandom random = TorchRandom.seeded(seed)) {
      return Arrays.copyOf(random.permutation(all).toLongs(), count);
    }
  }

  private List<Linear> linears(Model model) {
    return UntiedWeights.check(targets.linears(model, "FourierFT"), "FourierFT");
  }

  @Override
  public Map<String, Object> toConfig(Model model) {
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("n_frequency", frequencies);
    config.put("n_frequency_pattern", pattern.sizes());
    config.put("scaling", scaling);
    config.put("random_loc_seed", seed);
    config.put("bias", "none");
    config.put("fan_in_fan_out", false);
    config.put("init_weights", !gaussian);
    targets.write(model, config);
    return config;
  }
}
