package io.trimtab.delta.intrinsic;

import io.trimtab.delta.Address;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.Part;
import io.trimtab.delta.Targets;
import io.trimtab.delta.UntiedWeights;
import io.trimtab.model.Linear;
import io.trimtab.model.Model;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Settings of intrinsic dimension (Aghajanyan et al., 2020, section 3): every chosen weight W is W
 * + P θ, with one vector θ for all of them and a fixed random map P of its own for each (DID,
 * equation 2), or W + λ P θ with a trained factor λ for each, counted among the d numbers (SAID,
 * equation 3).
 *
 * <p>P is {@linkplain Fastfood Fastfood's} and not stored: it is drawn by {@link Rng} from the seed
 * and the name of the weight ({@code Rng.seeded(seed).derive(name.hashCode())}, then signs,
 * permutation and gains from what that derives for 1, 2 and 3), so that a file of d numbers and a
 * seed is all there is.
 *
 * @param dimension d, how many numbers are trained in all
 * @param structured whether each weight has a factor (SAID)
 * @param seed what the maps are drawn from
 * @param targets the linear layers whose weights move
 */
public record Intrinsic(int dimension, boolean structured, int seed, Targets targets)
    implements DeltaSpec {

  /** Checks ranges. */
  public Intrinsic {
    if (dimension < 1) {
      throw new DeltaException(
          "found dimension " + dimension + ", expected at least 1; 1000 is usual");
    }
  }

  /** SAID of so many dimensions, on query and value. */
  public static Intrinsic dimension(int d) {
    return new Intrinsic(d, true, 0, Targets.of(Address.suffixes(List.of("query", "value"))));
  }

  /** The same with (SAID) or without (DID) a factor for each weight. */
  public Intrinsic structured(boolean value) {
    return new Intrinsic(dimension, value, seed, targets);
  }

  /** The same in another subspace. */
  public Intrinsic seed(int value) {
    return new Intrinsic(dimension, structured, value, targets);
  }

  /** The same on other layers. */
  public Intrinsic on(Targets where) {
    return new Intrinsic(dimension, structured, seed, where);
  }

  @Override
  public DeltaMethod method() {
    return new IntrinsicMethod();
  }

  @Override
  public List<Part> parts(Model model, Rng rng) {
    List<Linear> linears = linears(model);
    int factors = structured ? linears.size() : 0;
    if (factors >= dimension) {
      throw new DeltaException(
          "found dimension "
              + dimension
              + " for "
              + factors
              + " weights with a factor each, expected more; choose more dimensions, fewer layers"
              + " or structured=false");
    }
    List<Part> parts = new ArrayList<>();
    Device device = linears.getFirst().weight().device();
    try (Scope _ = Scope.open()) {
      long free = (long) dimension - factors;
      Parameter theta = Parameter.of("intrinsic.theta", Creation.zeros(DType.F32, device, free));
      @Nullable Parameter lambda =
          structured
              ? Parameter.of("intrinsic.lambda", Creation.full(1, DType.F32, device, factors))
              : null;
      for (int i = 0; i < linears.size(); i++) {
        Linear linear = linears.get(i);
        Rng own = Rng.seeded(seed).derive(linear.weightName().hashCode());
        long entries = linear.weight().in() * linear.weight().out();
        Fastfood map = Fastfood.draw(linear.weightName(), free, entries, device, own);
        parts.add(new IntrinsicWeight(linear, map, theta, lambda, i));
      }
    }
    parts.addAll(targets.saved(model).parts());
    return parts;
  }

  @Override
  public boolean isStored(Parameter constant) {
    return !Fastfood.isFactor(constant.name());
  }

  private List<Linear> linears(Model model) {
    return UntiedWeights.check(
        targets.linears(model, "intrinsic dimension"), "intrinsic dimension");
  }

  @Override
  public Map<String, Object> toConfig(Model model) {
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("intrinsic_dimension", dimension);
    config.put("structured", structured);
    config.put("seed", seed);
    targets.write(model, config);
    return config;
  }
}
