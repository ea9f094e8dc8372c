package io.trimtab.delta.bottleneck;

import io.trimtab.tensor.DType;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.LinearAlgebra;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * x H + b with H = Σᵢ Aᵢ ⊗ Wᵢ, [in, out] (Karimi Mahabadi et al., 2021, equations 4 to 6).
 *
 * <p>With Wᵢ = sᵢ tᵢ, x's n groups of in / n numbers each go through all sᵢ, the groups are mixed
 * by Aᵢ, and go on through tᵢ: n k (in + out) + k n³ products a token where H has in · out, and H
 * is never made. Where H is small against that, or Wᵢ has full rank, it is made once a pass.
 */
final class PhmProjection implements Projection {
  private final Rule rule;
  private final Weights weights;
  private final @Nullable Parameter bias;
  private final long n;
  private final long in;
  private final long out;

  /**
   * The matrices Aᵢ.
   *
   * @param whole A, [n, n, n]; null where it is factorised
   * @param left columns [n, n, 1]; null where A is whole
   * @param right rows [n, 1, n]; null where A is whole
   * @param trained whether it is trained
   */
  record Rule(
      @Nullable Parameter whole,
      @Nullable Parameter left,
      @Nullable Parameter right,
      boolean trained) {
    Tensor value(DType type) {
      return whole != null ? whole.value().to(type) : product(left, right, type);
    }

    List<Parameter> stored() {
      return Projection.present(whole, left, right);
    }
  }

  /**
   * The matrices Wᵢ.
   *
   * @param whole W, [n, in / n, out / n]; null where it is factorised
   * @param left s, [n, in / n, k]; null where W is whole
   * @param right t, [n, k, out / n]; null where W is whole
   */
  record Weights(@Nullable Parameter whole, @Nullable Parameter left, @Nullable Parameter right) {
    Tensor value(DType type) {
      return whole != null ? whole.value().to(type) : product(left, right, type);
    }

    List<Parameter> stored() {
      return Projection.present(whole, left, right);
    }
  }

  PhmProjection(Rule rule, Weights weights, @Nullable Parameter bias, int dim, long in, long out) {
    this.rule = rule;
    this.weights = weights;
    this.bias = bias;
    this.n = dim;
    this.in = in;
    this.out = out;
  }

  private static Tensor product(@Nullable Parameter left, @Nullable Parameter right, DType type) {
    return LinearAlgebra.matmul(
        java.util.Objects.requireNonNull(left).value().to(type),
        java.util.Objects.requireNonNull(right).value().to(type));
  }

  @Override
  public Tensor forward(Tensor x) {
    Parameter left = weights.left();
    Parameter right = weights.right();
    // The choice depends on shapes alone: a token's result must not depend on its company.
    if (left != null && right != null) {
      long k = left.value().size(2);
      if (n * k * (in + out) + k * n * n * n < in * out) {
        return Projection.plus(
            factorised(x, left.value().to(x.dtype()), right.value().to(x.dtype()), k), bias);
      }
    }
    return Projection.plus(LinearAlgebra.matmul(x, whole(x.dtype())), bias);
  }

  /** H, [in, out]: the entry at ((a, p), (b, q)) is the sum over i of Aᵢ[a, b] Wᵢ[p, q]. */
  Tensor whole(DType type) {
    Tensor a = rule.value(type).reshape(n, n * n).transpose(0, 1);
    Tensor w = weights.value(type).reshape(n, in / n * (out / n));
    Tensor blocks = LinearAlgebra.matmul(a, w).reshape(n, n, in / n, out / n);
    return Indexing.permute(blocks, 0, 2, 1, 3).reshape(in, out);
  }

  private Tensor factorised(Tensor x, Tensor left, Tensor right, long k) {
    long tokens = x.size(0);
    // [tokens · a, in / n] times [in / n, i · k]
    Tensor through = Indexing.permute(left, 1, 0, 2).reshape(in / n, n * k);
    Tensor inner = LinearAlgebra.matmul(x.reshape(tokens * n, in / n), through);
    // for each i: [tokens · k, a] times [a, b]
    Tensor groups =
        Indexing.permute(inner.reshape(tokens, n, n, k), 2, 0, 3, 1).reshape(n, tokens * k, n);
    Tensor mixed = LinearAlgebra.matmul(groups, rule.value(x.dtype())).reshape(n, tokens, k, n);
    // [tokens · b, i · k] times [i · k, out / n]
    Tensor rows = Indexing.permute(mixed, 1, 3, 0, 2).reshape(tokens * n, n * k);
    return LinearAlgebra.matmul(rows, right.reshape(n * k, out / n)).reshape(tokens, out);
  }

  @Override
  public List<Parameter> parameters() {
    List<Parameter> parameters = new ArrayList<>();
    if (rule.trained()) {
      parameters.addAll(rule.stored());
    }
    parameters.addAll(weights.stored());
    parameters.addAll(Projection.present(bias));
    return parameters;
  }

  @Override
  public List<Parameter> constants() {
    return rule.trained() ? List.of() : rule.stored();
  }
}
