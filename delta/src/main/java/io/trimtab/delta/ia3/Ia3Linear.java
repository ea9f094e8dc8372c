package io.trimtab.delta.ia3;

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

/** A vector that rescales what a linear layer gives, [out, 1], or what it is given, [1, in]. */
final class Ia3Linear implements Part {
  private final Linear layer;
  private final Parameter scale;
  private final boolean input;

  private Ia3Linear(Linear layer, Parameter scale, boolean input) {
    this.layer = layer;
    this.scale = scale;
    this.input = input;
  }

  /** Ones, so that training starts from the base. */
  static Ia3Linear create(Linear layer, boolean input) {
    Device device = layer.weight().device();
    long rows = input ? 1 : layer.weight().out();
    long columns = input ? layer.weight().in() : 1;
    try (Scope _ = Scope.open()) {
      Tensor ones = Creation.full(1, DType.F32, device, rows, columns);
      return new Ia3Linear(layer, Parameter.of(layer.path() + ".ia3_l", ones), input);
    }
  }

  @Override
  public Site<?> site() {
    return input ? Site.input(layer.path()) : Site.output(layer.path());
  }

  @Override
  public Patch patch() {
    return input
        ? (Patch.Input) (given, pass) -> scaled(given)
        : (Patch.Output) (given, output, pass) -> scaled(output);
  }

  private Tensor scaled(Tensor rows) {
    return Arithmetic.multiply(rows, scale.value().reshape(1, -1).to(rows.dtype()));
  }

  @Override
  public List<Parameter> parameters() {
    return List.of(scale);
  }

  @Override
  public List<String> baseTensors() {
    return input || layer.bias() == null
        ? List.of(layer.weightName())
        : List.of(layer.weightName(), layer.biasName());
  }

  @Override
  public Tensor merge(String name, Tensor stored) {
    Tensor factor = name.equals(layer.weightName()) ? scale.value() : scale.value().reshape(-1);
    return Arithmetic.multiply(stored.to(DType.F32), factor).to(stored.dtype());
  }
}
