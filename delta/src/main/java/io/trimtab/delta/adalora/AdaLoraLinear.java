package io.trimtab.delta.adalora;

import io.trimtab.delta.Part;
import io.trimtab.model.Linear;
import io.trimtab.model.Pass;
import io.trimtab.model.Patch;
import io.trimtab.model.Site;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.ChangedProduct;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.LinearAlgebra;
import io.trimtab.tensor.LowRankChange;
import io.trimtab.tensor.Neural;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** y + s B (E ⊙ A) x, equation 3 of the paper: A [rank, in], E [rank, 1], B [out, rank]. */
final class AdaLoraLinear implements Part {
  private static final double DEVIATION = 0.02;

  private final Linear layer;
  private final Parameter right;
  private final Parameter values;
  private final Parameter left;
  private final double scale;
  private final double dropout;

  private AdaLoraLinear(
      Linear layer,
      Parameter right,
      Parameter values,
      Parameter left,
      double scale,
      double dropout) {
    this.layer = layer;
    this.right = right;
    this.values = values;
    this.left = left;
    this.scale = scale;
    this.dropout = dropout;
  }

  /** A and B normal with a deviation of 0.02, E zero, so that training starts from the base. */
  static AdaLoraLinear create(Linear layer, int rank, double scale, double dropout, Rng rng) {
    Device device = layer.weight().device();
    String path = layer.path();
    try (Scope _ = Scope.open()) {
      Tensor a = rng.normal(DEVIATION, DType.F32, device, rank, layer.weight().in());
      Tensor b = rng.normal(DEVIATION, DType.F32, device, layer.weight().out(), rank);
      return new AdaLoraLinear(
          layer,
          Parameter.of(path + ".lora_A", a),
          Parameter.of(path + ".lora_E", Creation.zeros(DType.F32, device, rank, 1)),
          Parameter.of(path + ".lora_B", b),
          scale,
          dropout);
    }
  }

  Linear layer() {
    return layer;
  }

  /** A [rank, in]: the right singular vectors. */
  Parameter right() {
    return right;
  }

  /** E [rank, 1]: the singular values. */
  Parameter values() {
    return values;
  }

  /** B [out, rank]: the left singular vectors. */
  Parameter left() {
    return left;
  }

  int rank() {
    return (int) values.value().size(0);
  }

  @Override
  public Site<?> site() {
    return Site.output(layer.path());
  }

  @Override
  public Patch patch() {
    return new Beside();
  }

  private final class Beside implements Patch.LowRank, Patch.Changing {
    @Override
    public Tensor apply(Tensor input, Tensor output, Pass pass) {
      return AdaLoraLinear.this.apply(input, output, pass);
    }

    @Override
    public @Nullable Product product() {
      return rank() == 0
          ? null
          : new Product(Arithmetic.multiply(right.value(), values.value()), left.value(), scale);
    }

    @Override
    public ChangedProduct.@Nullable Change change(Pass pass) {
      Product product = dropout > 0 && pass.training().isPresent() ? null : product();
      return product == null
          ? null
          : LowRankChange.where(product.down(), product.up(), product.scale());
    }
  }

  private Tensor apply(Tensor input, Tensor output, Pass pass) {
    if (rank() == 0) {
      return output;
    }
    DType type = input.dtype();
    Tensor factors = Arithmetic.multiply(values.value().reshape(1, -1), scale).to(type);
    Tensor a = right.value().to(type);
    Tensor thin =
        pass.training()
            .map(rng -> Neural.dropoutLinear(input, a, dropout, rng))
            .orElseGet(() -> LinearAlgebra.linear(input, a, null));
    Tensor inner = Arithmetic.multiply(thin, factors);
    return LinearAlgebra.addProduct(output, inner, left.value().to(type).transpose(0, 1));
  }

  @Override
  public List<Parameter> parameters() {
    return List.of(right, values, left);
  }

  @Override
  public List<String> baseTensors() {
    return List.of(layer.weightName());
  }

  @Override
  public Tensor merge(String name, Tensor stored) {
    if (rank() == 0) {
      return stored.copy(); // the merged model frees what it is given
    }
    Tensor scaled = Arithmetic.multiply(right.value(), values.value());
    Tensor product = LinearAlgebra.matmul(left.value(), scaled);
    return Arithmetic.addScaled(stored.to(DType.F32), product, scale).to(stored.dtype());
  }
}
