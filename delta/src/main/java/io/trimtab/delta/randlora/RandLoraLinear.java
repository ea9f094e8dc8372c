package io.trimtab.delta.randlora;

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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * RandLoRA beside a linear layer. The n bases are one product of two matrices of n·rank rows or
 * columns, the scaled one on the layer's smaller side.
 *
 * <p>Which scaled row meets which column is as in PEFT, whose two matrices are flattened in
 * different orders, the one rank by rank, the other basis by basis: files hold numbers that were
 * trained so.
 */
final class RandLoraLinear extends LinearDelta {
  private final Parameter a;
  private final Parameter b;
  private final Parameter lambda;
  private final Parameter gamma;
  private final double scale;
  private final double dropout;
  private final long small;
  private final long large;
  private final long bases;

  private RandLoraLinear(
      Linear layer,
      Parameter a,
      Parameter b,
      Parameter lambda,
      Parameter gamma,
      double scale,
      double dropout) {
    super(layer);
    this.a = a;
    this.b = b;
    this.lambda = lambda;
    this.gamma = gamma;
    this.scale = scale;
    this.dropout = dropout;
    small = Math.min(layer.weight().in(), layer.weight().out());
    large = Math.max(layer.weight().in(), layer.weight().out());
    bases = lambda.value().size(1);
  }

  /**
   * A part over shared bases.
   *
   * @param a A [rank, 1, at least the layer's smaller side]
   * @param b B [at least its larger side, at least its number of bases, rank]
   */
  static RandLoraLinear create(
      Linear layer, Parameter a, Parameter b, double scale, double dropout) {
    Device device = layer.weight().device();
    long rank = a.value().size(0);
    long small = Math.min(layer.weight().in(), layer.weight().out());
    long bases = RandLora.count(small, rank);
    try (Scope _ = Scope.open()) {
      Tensor zero = Creation.zeros(DType.F32, device, rank, bases);
      Tensor even = Creation.full(1.0 / Math.max(bases, small), DType.F32, device, bases, small);
      return new RandLoraLinear(
          layer,
          a,
          b,
          Parameter.of(layer.path() + ".randlora_lambda", zero),
          Parameter.of(layer.path() + ".randlora_gamma", even),
          scale,
          dropout);
    }
  }

  @Override
  protected Tensor product(Tensor input, Pass pass) {
    DType type = input.dtype();
    Tensor seen = pass.training().map(rng -> Neural.dropout(input, dropout, rng)).orElse(input);
    Tensor inner = LinearAlgebra.linear(seen, first().to(type), null);
    return Arithmetic.multiply(LinearAlgebra.linear(inner, second().to(type), null), scale);
  }

  @Override
  protected ChangedProduct.@Nullable Change change(Pass pass) {
    return drops(dropout, pass) || !isInputSmaller()
        ? null
        : new RandLoraChange(this::own, this::frozen, lambda, gamma, scale);
  }

  private boolean isInputSmaller() {
    return layer().weight().in() == small;
  }

  /** What the input meets, [n·rank, in]. */
  private Tensor first() {
    return isInputSmaller() ? scaled() : frozen().transpose(0, 1);
  }

  /** What gives the output, [out, n·rank]. */
  private Tensor second() {
    return isInputSmaller() ? frozen() : scaled().transpose(0, 1);
  }

  /** Λ A Γ, [rank·n, small]. */
  private Tensor scaled() {
    Tensor rows = Arithmetic.multiply(Indexing.unsqueeze(lambda.value(), 2), own());
    return Arithmetic.multiply(rows, gamma.value()).reshape(-1, small);
  }

  /** A, [rank, 1, small]. */
  private Tensor own() {
    return Indexing.slice(a.value(), 2, 0, small);
  }

  /** B, [large, n·rank]. */
  private Tensor frozen() {
    Tensor rows = Indexing.slice(b.value(), 0, 0, large);
    return Indexing.slice(rows, 1, 0, bases).reshape(large, -1);
  }

  @Override
  protected Tensor change() {
    return Arithmetic.multiply(LinearAlgebra.matmul(second(), first()), scale);
  }

  @Override
  public List<Parameter> parameters() {
    return List.of(lambda, gamma);
  }

  @Override
  public List<Parameter> constants() {
    return List.of(a, b);
  }

  /** PEFT stores the shared bases once more at every layer. */
  @Override
  public Map<String, String> aliases() {
    Map<String, String> aliases = new LinkedHashMap<>();
    aliases.put(layer().path() + "." + RandLora.SMALL, RandLora.SMALL);
    aliases.put(layer().path() + "." + RandLora.LARGE, RandLora.LARGE);
    return aliases;
  }
}
