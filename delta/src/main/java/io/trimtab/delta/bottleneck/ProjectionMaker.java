package io.trimtab.delta.bottleneck;

import io.trimtab.delta.DeltaException;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Tensor;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Makes the linear maps of one delta, which may share what Compacter shares. */
final class ProjectionMaker {
  private static final String SHARED = "adapter";

  private final Maps maps;
  private final Start start;
  private final Device device;
  private final Rng rng;
  private final Map<String, Parameter> shared = new HashMap<>();

  ProjectionMaker(Maps maps, Start start, Device device, Rng rng) {
    this.maps = maps;
    this.start = start;
    this.device = device;
    this.rng = rng;
  }

  /**
   * A map.
   *
   * @param adapter the path of the adapter
   * @param up whether it goes up, else down
   */
  Projection make(String adapter, boolean up, long in, long out) {
    String path = adapter + (up ? ".up" : ".down");
    boolean zero = up && start.isZeroUp();
    return switch (maps) {
      case Maps.Dense _ ->
          new Projection.Dense(
              Parameter.of(path + ".weight", start.dense(up, out, in, device, rng)),
              bias(path, out));
      case Maps.LowRank low ->
          new Projection.LowRank(
              Parameter.of(path + ".left", draw(low.start(), false, in, low.rank())),
              Parameter.of(path + ".right", draw(low.start(), zero, low.rank(), out)),
              bias(path, out));
      case Maps.Phm phm -> phm(phm, path, up, in, out);
    };
  }

  private Parameter bias(String path, long out) {
    return Parameter.of(path + ".bias", Creation.zeros(DType.F32, device, out));
  }

  private PhmProjection phm(Maps.Phm phm, String path, boolean up, long in, long out) {
    int n = phm.dim();
    if (in % n != 0 || out % n != 0) {
      throw new DeltaException(
          "found phm_dim="
              + n
              + " for a map from "
              + in
              + " to "
              + out
              + " numbers at "
              + path
              + ", expected one that divides both; choose another phm_dim or bottleneck_dim");
    }
    @Nullable Parameter bias = phm.bias() ? bias(path, out) : null;
    String rules = phm.sharedRule() ? SHARED : path;
    String owner = phm.sharedWeights() ? SHARED + (up ? ".up" : ".down") : path;
    return new PhmProjection(rule(phm, rules), weights(phm, owner, up, in, out), bias, n, in, out);
  }

  private PhmProjection.Rule rule(Maps.Phm phm, String path) {
    long n = phm.dim();
    if (!phm.factorisedRule()) {
      return new PhmProjection.Rule(
          rulePart(phm, path + ".rule", n, n, n), null, null, phm.trainedRule());
    }
    return new PhmProjection.Rule(
        null,
        rulePart(phm, path + ".rule.left", n, n, 1),
        rulePart(phm, path + ".rule.right", n, 1, n),
        phm.trainedRule());
  }

  private Parameter rulePart(Maps.Phm phm, String name, long... shape) {
    return once(
        name,
        phm.sharedRule(),
        () -> {
          double range = phm.ruleRange();
          Tensor drawn =
              phm.ruleUniform() && range > 0
                  ? rng.uniform(-range, range, DType.F32, device, shape)
                  : rng.normal(range, DType.F32, device, shape);
          return phm.trainedRule() ? Parameter.of(name, drawn) : Parameter.constant(name, drawn);
        });
  }

  private PhmProjection.Weights weights(Maps.Phm phm, String path, boolean up, long in, long out) {
    long n = phm.dim();
    boolean zero = up && start.isZeroUp();
    boolean one = phm.sharedWeights();
    if (phm.rank() == 0) {
      return new PhmProjection.Weights(
          factor(path + ".whole", one, phm.start(), zero, n, in / n, out / n), null, null);
    }
    return new PhmProjection.Weights(
        null,
        factor(path + ".left", one, phm.start(), false, n, in / n, phm.rank()),
        factor(path + ".right", one, phm.start(), zero, n, phm.rank(), out / n));
  }

  private Parameter factor(String name, boolean one, Maps.Draw draw, boolean zero, long... shape) {
    Parameter factor = once(name, one, () -> Parameter.of(name, draw(draw, zero, shape)));
    if (!java.util.Arrays.equals(factor.value().shape(), shape)) {
      throw new DeltaException(
          "found adapters of different sizes that share "
              + name
              + ", expected one size for all; choose shared_W_phm=false or one bottleneck_dim");
    }
    return factor;
  }

  private Parameter once(String name, boolean one, Supplier<Parameter> make) {
    if (!one) {
      return make.get();
    }
    Parameter made = shared.get(name);
    if (made == null) {
      made = make.get();
      shared.put(name, made);
    }
    return made;
  }

  /** A matrix, or a stack of them, drawn by the sizes of one. */
  private Tensor draw(Maps.Draw draw, boolean zero, long... shape) {
    if (zero) {
      return Creation.zeros(DType.F32, device, shape);
    }
    double sizes = (double) shape[shape.length - 1] + shape[shape.length - 2];
    double bound = Math.sqrt(12 / sizes);
    return switch (draw) {
      case GLOROT_UNIFORM -> rng.uniform(-bound, bound, DType.F32, device, shape);
      case GLOROT_NORMAL -> rng.normal(2 / Math.sqrt(sizes), DType.F32, device, shape);
      case XAVIER_NORMAL -> rng.normal(Math.sqrt(2 / sizes), DType.F32, device, shape);
      case NORMAL -> rng.normal(1e-4, DType.F32, device, shape);
    };
  }
}
