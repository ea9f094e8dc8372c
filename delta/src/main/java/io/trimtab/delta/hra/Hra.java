package io.trimtab.delta.hra;

import io.trimtab.delta.Address;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.Part;
import io.trimtab.delta.Targets;
import io.trimtab.model.Linear;
import io.trimtab.model.Model;
import io.trimtab.tensor.Rng;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Settings of HRA (Yuan et al., 2024, section 3): W H₁ … Hᵣ x + b with the reflections Hᵢ = I - 2
 * uᵢ uᵢᵀ / ‖uᵢ‖². They start in equal pairs, which cancel, where the rank is even; with an odd rank
 * or with orthogonal vectors no start leaves the base as it is.
 *
 * @param rank the number r of reflections
 * @param orthogonal whether the vectors are made orthogonal first, by Gram and Schmidt (the paper's
 *     λ = ∞, PEFT's {@code apply_GS})
 * @param targets the linear layers it goes on
 */
public record Hra(int rank, boolean orthogonal, Targets targets) implements DeltaSpec {

  /** Checks ranges. */
  public Hra {
    if (rank < 1) {
      throw new DeltaException("found rank " + rank + ", expected at least 1; 8 is usual");
    }
  }

  /** So many reflections, on query and value. */
  public static Hra rank(int rank) {
    return new Hra(rank, false, Targets.of(Address.suffixes(List.of("query", "value"))));
  }

  /** The same with vectors made orthogonal first. */
  public Hra orthogonal(boolean value) {
    return new Hra(rank, value, targets);
  }

  /** The same on other layers. */
  public Hra on(Targets where) {
    return new Hra(rank, orthogonal, where);
  }

  @Override
  public DeltaMethod method() {
    return new HraMethod();
  }

  @Override
  public List<Part> parts(Model model, Rng rng) {
    List<Part> parts = new ArrayList<>();
    for (Linear linear : targets.linears(model, "HRA")) {
      if (orthogonal && rank > linear.weight().in()) {
        throw new DeltaException(
            "found rank "
                + rank
                + " of orthogonal vectors for HRA at "
                + linear.path()
                + ", expected at most its "
                + linear.weight().in()
                + " inputs; choose a smaller rank");
      }
      parts.add(HraLinear.create(linear, rank, orthogonal, rng));
    }
    parts.addAll(targets.saved(model).parts());
    return parts;
  }

  @Override
  public Map<String, Object> toConfig(Model model) {
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("r", rank);
    config.put("apply_GS", orthogonal);
    config.put("bias", "none");
    config.put("init_weights", true);
    targets.write(model, config);
    return config;
  }
}
