package io.trimtab.delta.boft;

import io.trimtab.delta.Part;
import io.trimtab.model.Linear;
import io.trimtab.model.Pass;
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

/** A factor for each output of a linear layer, boft_s [out, 1]; the bias is not rescaled. */
final class BoftScale implements Part {
  private final Linear layer;
  private final Parameter scale;

  private BoftScale(Linear layer, Parameter scale) {
    this.layer = layer;
    this.scale = scale;
  }

  /** Ones, so that training starts from the base. */
  static BoftScale create(Linear layer) {
    Device device = layer.weight().device();
    try (Scope _ = Scope.open()) {
      Tensor ones = Creation.full(1, DType.F32, device, layer.weight().out(), 1);
      return new BoftScale(layer, Parameter.of(layer.path() + ".boft_s", ones));
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
    Tensor factors = scale.value().reshape(1, -1).to(output.dtype());
    Tensor scaled = Arithmetic.multiply(output, factors);
    Tensor bias = layer.bias();
    if (bias == null) {
      return scaled;
    }
    // s (y - b) + b without rounding y twice, so that s = 1 changes nothing.
    Tensor rest = Arithmetic.multiply(bias, Arithmetic.add(Arithmetic.negate(factors), 1));
    return Arithmetic.add(scaled, rest);
  }

  @Override
  public List<Parameter> parameters() {
    return List.of(scale);
  }

  @Override
  public List<String> baseTensors() {
    return List.of(layer.weightName());
  }

  @Override
  public Tensor merge(String name, Tensor stored) {
    return Arithmetic.multiply(stored.to(DType.F32), scale.value()).to(stored.dtype());
  }
}
