package io.trimtab.delta.road;

import io.trimtab.delta.Part;
import io.trimtab.model.Linear;
import io.trimtab.model.Pass;
import io.trimtab.model.Patch;
import io.trimtab.model.Site;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.util.List;

/**
 * Rotated and rescaled pairs of outputs: y ⊙ c + ŷ ⊙ s, where ŷ has the halves of each group
 * exchanged and the first negated (section 3.2, equation 4). The parameters are road_theta and
 * road_alpha: [out / 2] for one angle a pair, [out] for two, [2 out] for four.
 */
final class RoadLinear implements Part {
  private final Linear layer;
  private final Parameter theta;
  private final Parameter alpha;
  private final Road.Variant variant;
  private final int group;

  private RoadLinear(
      Linear layer, Parameter theta, Parameter alpha, Road.Variant variant, int group) {
    this.layer = layer;
    this.theta = theta;
    this.alpha = alpha;
    this.variant = variant;
    this.group = group;
  }

  /** Angles of zero and scales of one, so that training starts from the base. */
  static RoadLinear create(Linear layer, Road.Variant variant, int group) {
    long size = variant.size(layer.weight().out());
    Device device = layer.weight().device();
    String path = layer.path();
    try (Scope _ = Scope.open()) {
      return new RoadLinear(
          layer,
          Parameter.of(path + ".road_theta", Creation.zeros(DType.F32, device, size)),
          Parameter.of(path + ".road_alpha", Creation.full(1, DType.F32, device, size)),
          variant,
          group);
    }
  }

  @Override
  public Site<?> site() {
    return Site.output(layer.path());
  }

  @Override
  public Patch patch() {
    return (Patch.Output) this::apply;
  }

  private Tensor apply(Tensor input, Tensor output, Pass pass) {
    return rotated(output);
  }

  /** Rows [n, out], each rotated. */
  private Tensor rotated(Tensor rows) {
    DType type = rows.dtype() == DType.F64 ? DType.F64 : DType.F32;
    Tensor angles = theta.value().to(type);
    Tensor scales = alpha.value().to(type);
    Tensor along = spread(Arithmetic.multiply(scales, Arithmetic.cosine(angles)), 0);
    Tensor across = spread(Arithmetic.multiply(scales, Arithmetic.sine(angles)), 1);
    Tensor exchanged = exchanged(rows);
    return Arithmetic.add(
        Arithmetic.multiply(rows, along.to(rows.dtype())),
        Arithmetic.multiply(exchanged, across.to(rows.dtype())));
  }

  /**
   * A number for each output, [1, out].
   *
   * @param which where each output has two, the first or the second
   */
  private Tensor spread(Tensor numbers, long which) {
    long half = group / 2;
    return switch (variant) {
      case ROAD_1 -> {
        Tensor halves = numbers.reshape(-1, 1, half);
        yield Indexing.expand(halves, halves.size(0), 2, half).reshape(1, -1);
      }
      case ROAD_2 -> numbers.reshape(1, -1);
      case ROAD_4 -> Indexing.at(numbers.reshape(-1, 2, group), 1, which).reshape(1, -1);
    };
  }

  /** The halves of each group exchanged, what comes first negated. */
  private Tensor exchanged(Tensor rows) {
    Tensor halves = rows.reshape(-1, 2, group / 2);
    Tensor first = Indexing.at(halves, 1, 0);
    Tensor second = Indexing.at(halves, 1, 1);
    return Indexing.stack(List.of(Arithmetic.negate(second), first), 1).reshape(rows.shape());
  }

  @Override
  public List<Parameter> parameters() {
    return List.of(theta, alpha);
  }

  @Override
  public List<String> baseTensors() {
    return layer.bias() == null
        ? List.of(layer.weightName())
        : List.of(layer.weightName(), layer.biasName());
  }

  @Override
  public Tensor merge(String name, Tensor stored) {
    Tensor precise = stored.to(DType.F32);
    Tensor rotated =
        name.equals(layer.weightName())
            ? rotated(precise.transpose(0, 1)).transpose(0, 1).contiguous()
            : rotated(precise.reshape(1, -1)).reshape(-1);
    return rotated.to(stored.dtype());
  }
}
