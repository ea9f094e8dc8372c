package io.trimtab.delta.vera;

import io.trimtab.delta.LinearDelta;
import io.trimtab.model.Linear;
import io.trimtab.model.Pass;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.ChangedProduct;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.LinearAlgebra;
import io.trimtab.tensor.Neural;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** VeRA beside a linear layer: y + b ⊙ (B (d ⊙ (A x))), equation 2 of the paper. */
final class VeraLinear extends LinearDelta {
  private final Parameter down;
  private final Parameter up;
  private final Parameter inner;
  private final Parameter outer;
  private final double dropout;

  private VeraLinear(
      Linear layer,
      Parameter down,
      Parameter up,
      Parameter inner,
      Parameter outer,
      double dropout) {
    super(layer);
    this.down = down;
    this.up = up;
    this.inner = inner;
    this.outer = outer;
    this.dropout = dropout;
  }

  /**
   * A part over shared projections.
   *
   * @param down A [rank, at least in]
   * @param up B [at least out, rank]
   * @param start what d [rank] starts at; b [out] starts at zero
   */
  static VeraLinear create(
      Linear layer, Parameter down, Parameter up, double start, double dropout) {
    Device device = layer.weight().device();
    try (Scope _ = Scope.open()) {
      Tensor d = Creation.full(start, DType.F32, device, down.value().size(0));
      Tensor b = Creation.zeros(DType.F32, device, layer.weight().out());
      return new VeraLinear(
          layer,
          down,
          up,
          Parameter.of(layer.path() + ".vera_lambda_d", d),
          Parameter.of(layer.path() + ".vera_lambda_b", b),
          dropout);
    }
  }

  @Override
  protected Tensor product(Tensor input, Pass pass) {
    DType type = input.dtype();
    Tensor a = ownDown().to(type);
    Tensor thin =
        pass.training()
            .map(rng -> Neural.dropoutLinear(input, a, dropout, rng))
            .orElseGet(() -> LinearAlgebra.linear(input, a, null));
    Tensor scaled = Arithmetic.multiply(thin, inner.value().to(type));
    Tensor wide = LinearAlgebra.linear(scaled, ownUp().to(type), null);
    return Arithmetic.multiply(wide, outer.value().to(type));
  }

  @Override
  protected ChangedProduct.@Nullable Change change(Pass pass) {
    return drops(dropout, pass) ? null : new VeraChange(this::ownDown, this::ownUp, inner, outer);
  }

  /** A's corner for this layer, [rank, in]. */
  private Tensor ownDown() {
    return Indexing.slice(down.value(), 1, 0, layer().weight().in());
  }

  /** B's corner for this layer, [out, rank]. */
  private Tensor ownUp() {
    return Indexing.slice(up.value(), 0, 0, layer().weight().out());
  }

  @Override
  protected Tensor change() {
    return LinearAlgebra.matmul(
        Arithmetic.multiply(ownUp(), outer.value().reshape(-1, 1)),
        Arithmetic.multiply(ownDown(), inner.value().reshape(-1, 1)));
  }

  @Override
  public List<Parameter> parameters() {
    return List.of(outer, inner);
  }

  @Override
  public List<Parameter> constants() {
    return List.of(down, up);
  }
}
