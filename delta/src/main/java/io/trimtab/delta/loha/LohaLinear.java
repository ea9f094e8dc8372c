package io.trimtab.delta.loha;

import io.trimtab.delta.LinearDelta;
import io.trimtab.delta.LycorisDropout;
import io.trimtab.model.Linear;
import io.trimtab.model.Pass;
import io.trimtab.model.Patch;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.ChangedProduct;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.LinearAlgebra;
import io.trimtab.tensor.LowRankChange;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** LoHa beside a linear layer: y + s ((w1_a w1_b) ⊙ (w2_a w2_b)) x. */
final class LohaLinear extends LinearDelta {
  private final Parameter outer1;
  private final Parameter inner1;
  private final Parameter outer2;
  private final Parameter inner2;
  private final double scale;
  private final LycorisDropout dropout;

  private LohaLinear(
      Linear layer,
      Parameter outer1,
      Parameter inner1,
      Parameter outer2,
      Parameter inner2,
      double scale,
      LycorisDropout dropout) {
    super(layer);
    this.outer1 = outer1;
    this.inner1 = inner1;
    this.outer2 = outer2;
    this.inner2 = inner2;
    this.scale = scale;
    this.dropout = dropout;
  }

  /** Kaiming starts, w2_b [rank, in] zero, so that training starts from the base. */
  static LohaLinear create(Linear layer, int rank, double scale, LycorisDropout dropout, Rng rng) {
    Device device = layer.weight().device();
    long in = layer.weight().in();
    long out = layer.weight().out();
    String path = layer.path();
    try (Scope _ = Scope.open()) {
      return new LohaLinear(
          layer,
          Parameter.of(path + ".hada_w1_a", kaiming(rng, device, out, rank)),
          Parameter.of(path + ".hada_w1_b", kaiming(rng, device, rank, in)),
          Parameter.of(path + ".hada_w2_a", kaiming(rng, device, out, rank)),
          Parameter.of(path + ".hada_w2_b", Creation.zeros(DType.F32, device, rank, in)),
          scale,
          dropout);
    }
  }

  /** Uniform within ± 1 / √columns. */
  private static Tensor kaiming(Rng rng, Device device, long rows, long columns) {
    double bound = 1 / Math.sqrt((double) columns);
    return rng.uniform(-bound, bound, DType.F32, device, rows, columns);
  }

  @Override
  protected Tensor product(Tensor input, Pass pass) {
    DType type = input.dtype();
    Tensor product =
        isThin()
            ? LinearAlgebra.linear(
                LinearAlgebra.linear(input, pairs(inner1, inner2, 0).to(type), null),
                pairs(outer1, outer2, 1).to(type),
                null)
            : LinearAlgebra.linear(input, hadamard().to(type), null);
    return dropout.apply(Arithmetic.multiply(product, scale), pass);
  }

  /** The product is of rank² terms (w1_a)ₖ ⊙ (w2_a)ₗ times (w1_b)ₖ ⊙ (w2_b)ₗ; few are cheaper. */
  private boolean isThin() {
    long in = layer().weight().in();
    long out = layer().weight().out();
    long rank = inner1.value().size(0);
    return rank * rank * (in + out) < in * out;
  }

  @Override
  protected Patch.LowRank.@Nullable Product lowRank() {
    return isThin()
        ? new Patch.LowRank.Product(pairs(inner1, inner2, 0), pairs(outer1, outer2, 1), scale)
        : null;
  }

  @Override
  protected ChangedProduct.@Nullable Change change(Pass pass) {
    if (dropout.drops(pass)) {
      return null;
    }
    Patch.LowRank.Product thin = lowRank();
    return thin == null ? null : LowRankChange.where(thin.down(), thin.up(), thin.scale());
  }

  /** Every pair of a vector of {@code a} and one of {@code b}, multiplied number by number. */
  private static Tensor pairs(Parameter a, Parameter b, int dimension) {
    Tensor first = Indexing.unsqueeze(a.value(), dimension + 1);
    Tensor second = Indexing.unsqueeze(b.value(), dimension);
    Tensor all = Arithmetic.multiply(first, second);
    return dimension == 0
        ? all.reshape(-1, all.size(2)) // [rank², in]
        : all.reshape(all.size(0), -1); // [out, rank²]
  }

  private Tensor hadamard() {
    return Arithmetic.multiply(
        LinearAlgebra.matmul(outer1.value(), inner1.value()),
        LinearAlgebra.matmul(outer2.value(), inner2.value()));
  }

  @Override
  protected Tensor change() {
    return Arithmetic.multiply(hadamard(), scale);
  }

  @Override
  public List<Parameter> parameters() {
    return List.of(outer1, inner1, outer2, inner2);
  }
}
