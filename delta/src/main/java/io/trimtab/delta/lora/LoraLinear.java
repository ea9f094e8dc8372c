package io.trimtab.delta.lora;

import io.trimtab.delta.DeltaException;
import io.trimtab.delta.Part;
import io.trimtab.model.Linear;
import io.trimtab.model.Pass;
import io.trimtab.model.Patch;
import io.trimtab.model.Site;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.LinearAlgebra;
import io.trimtab.tensor.Neural;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** LoRA beside a linear layer: y + s (B A x + b), equation 3 of the paper. */
final class LoraLinear implements Part {
  private final Linear layer;
  private final Parameter down;
  private final Parameter up;
  private final @Nullable Parameter bias;
  private final double scale;
  private final double dropout;

  private LoraLinear(
      Linear layer,
      Parameter down,
      Parameter up,
      @Nullable Parameter bias,
      double scale,
      double dropout) {
    this.layer = layer;
    this.down = down;
    this.up = up;
    this.bias = bias;
    this.scale = scale;
    this.dropout = dropout;
  }

  /**
   * A [rank, in] drawn as the authors' code draws it, uniformly within ± 1 / √in (Kaiming with a =
   * √5); B [out, rank] zero, so that training starts from the base.
   */
  static LoraLinear create(
      Linear layer, int rank, double scale, double dropout, boolean withBias, Rng rng) {
    long in = layer.weight().in();
    long out = layer.weight().out();
    Device device = layer.weight().dense().device();
    double bound = 1 / Math.sqrt((double) in);
    String path = layer.path();
    try (Scope _ = Scope.open()) {
      Tensor start = rng.uniform(-bound, bound, DType.F32, device, rank, in);
      Tensor zero = Creation.zeros(DType.F32, device, out, rank);
      Parameter bias =
          withBias
              ? Parameter.of(path + ".lora_B.bias", Creation.zeros(DType.F32, device, out))
              : null;
      return new LoraLinear(
          layer,
          Parameter.of(path + ".lora_A.weight", start),
          Parameter.of(path + ".lora_B.weight", zero),
          bias,
          scale,
          dropout);
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
    DType type = input.dtype();
    Tensor seen = pass.training().map(rng -> Neural.dropout(input, dropout, rng)).orElse(input);
    // Scaling the thin product costs rank, not out, numbers a token.
    Tensor inner =
        Arithmetic.multiply(LinearAlgebra.linear(seen, down.value().to(type), null), scale);
    Tensor changed = LinearAlgebra.addProduct(output, inner, up.value().to(type).transpose(0, 1));
    return bias == null ? changed : Arithmetic.addScaled(changed, bias.value().to(type), scale);
  }

  @Override
  public List<Parameter> parameters() {
    List<Parameter> parameters = new ArrayList<>(List.of(down, up));
    if (bias != null) {
      parameters.add(bias);
    }
    return parameters;
  }

  @Override
  public List<String> baseTensors() {
    return bias == null || layer.bias() == null
        ? List.of(layer.weightName())
        : List.of(layer.weightName(), layer.biasName());
  }

  @Override
  public Tensor merge(String name, Tensor stored) {
    if (bias != null && layer.bias() == null) {
      throw new DeltaException.Unsupported(
          "found a bias of LoRA's own at "
              + layer.path()
              + ", which has no bias to merge it into; use the delta without merging");
    }
    Tensor product =
        bias != null && name.equals(layer.biasName())
            ? bias.value()
            : LinearAlgebra.matmul(up.value(), down.value());
    return Arithmetic.addScaled(stored.to(DType.F32), product, scale).to(stored.dtype());
  }
}
