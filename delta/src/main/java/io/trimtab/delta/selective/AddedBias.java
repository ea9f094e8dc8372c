package io.trimtab.delta.selective;

import io.trimtab.delta.DeltaException;
import io.trimtab.delta.Part;
import io.trimtab.model.Linear;
import io.trimtab.model.Patch;
import io.trimtab.model.Site;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.util.List;

/** A bias [n] for a layer that has none, zero at the start. */
final class AddedBias implements Part {
  private final Site<?> site;
  private final Patch patch;
  private final Parameter bias;
  private final String weight;

  private AddedBias(Site<?> site, Patch patch, Parameter bias, String weight) {
    this.site = site;
    this.patch = patch;
    this.bias = bias;
    this.weight = weight;
  }

  /** One that is added to what a linear layer gives. */
  static AddedBias of(Linear layer) {
    Parameter bias = zero(layer.path() + ".bias", layer.weight().out(), layer.weight().device());
    Patch.Output patch =
        (input, output, pass) -> Arithmetic.add(output, bias.value().to(output.dtype()));
    return new AddedBias(Site.output(layer.path()), patch, bias, layer.weightName());
  }

  /**
   * One that a norm uses as its own.
   *
   * @param name the bias's
   * @param weight the name of the norm's weight [n]
   */
  static AddedBias of(String name, String weight, Tensor stored) {
    Parameter bias = zero(name, stored.size(0), stored.device());
    Patch.Effective patch = (zeros, pass) -> Arithmetic.add(zeros, bias.value().to(zeros.dtype()));
    return new AddedBias(Site.tensor(name), patch, bias, weight);
  }

  private static Parameter zero(String name, long size, Device device) {
    try (Scope _ = Scope.open()) {
      return Parameter.of(name, Creation.zeros(DType.F32, device, size));
    }
  }

  @Override
  public Site<?> site() {
    return site;
  }

  @Override
  public Patch patch() {
    return patch;
  }

  @Override
  public List<Parameter> parameters() {
    return List.of(bias);
  }

  @Override
  public List<String> baseTensors() {
    return List.of(weight);
  }

  @Override
  public Tensor merge(String name, Tensor stored) {
    throw new DeltaException.Unsupported(
        "found an added bias "
            + bias.name()
            + ", which the base has no tensor to merge it into; use the delta without merging");
  }
}
