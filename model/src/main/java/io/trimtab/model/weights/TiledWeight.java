package io.trimtab.model.weights;

import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.FrozenProduct;
import io.trimtab.tensor.Gradients;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * A matrix that is made plain a tile of rows at a time. Its product has a gradient of its own,
 * dL/dx = dL/dy W, for which the tiles are made anew: none is kept for the backward pass.
 */
public abstract class TiledWeight implements Weight {
  /** Values of a tile: 16 MB in single precision, far more than a product's own overhead costs. */
  private static final long TILE = 1 << 22;

  private final long out;
  private final long in;
  private final DType dtype;
  private final long tileRows;

  /** A matrix [out, in] whose tiles have the type {@code dtype}. */
  protected TiledWeight(long out, long in, DType dtype) {
    this(out, in, dtype, TILE);
  }

  /** One in tiles of so many values. */
  TiledWeight(long out, long in, DType dtype, long tile) {
    this.out = out;
    this.in = in;
    this.dtype = dtype;
    tileRows = Math.max(1, tile / Math.max(1, in));
  }

  /** Rows [start, start + count) as a plain tensor [count, in]. */
  protected abstract Tensor tile(long start, long count);

  /**
   * x Wᵀ + bias without a gradient: tile by tile, where a form knows no faster way.
   *
   * @param input x, [.., in], cut off from any graph
   */
  protected Tensor forward(Tensor input, @Nullable Tensor bias) {
    if (out <= tileRows) {
      return FrozenProduct.linear(input, tile(0, out), bias);
    }
    long[] shape = input.shape();
    shape[shape.length - 1] = out;
    Tensor output = Creation.zeros(input.dtype(), input.device(), shape);
    for (long start = 0; start < out; start += tileRows) {
      long count = Math.min(tileRows, out - start);
      try (Scope _ = Scope.open()) {
        Tensor some = bias == null ? null : Indexing.slice(bias, 0, start, count);
        Tensor part = FrozenProduct.linear(input, tile(start, count), some);
        Indexing.overwrite(output, shape.length - 1, start, part);
      }
    }
    return output;
  }

  private Tensor backward(Tensor gradient) {
    Tensor sum = null;
    for (long start = 0; start < out; start += tileRows) {
      long count = Math.min(tileRows, out - start);
      try (Scope scope = Scope.open()) {
        Tensor some = Indexing.slice(gradient, gradient.rank() - 1, start, count).contiguous();
        Tensor part = FrozenProduct.toInput(some, tile(start, count));
        sum = scope.keep(sum == null ? part : Arithmetic.add(sum, part));
      }
    }
    return sum == null ? gradient : sum;
  }

  @Override
  public final Tensor product(Tensor input, @Nullable Tensor bias) {
    Tensor within = bias != null && bias.requiresGradient() ? null : bias;
    Tensor product = Gradients.custom(input, x -> forward(x.detach(), within), this::backward);
    return bias == null || within != null ? product : Arithmetic.add(product, bias);
  }

  @Override
  public final Tensor dense() {
    return Gradients.none(() -> tile(0, out));
  }

  @Override
  public final long in() {
    return in;
  }

  @Override
  public final long out() {
    return out;
  }

  @Override
  public final DType dtype() {
    return dtype;
  }
}
