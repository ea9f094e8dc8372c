package io.trimtab.tensor;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * W + s B A: what LoRA and its kin make of a weight. The gradients are products that are as thin,
 * dA = s (dY B)ᵀ x and dB = s dYᵀ (x Aᵀ).
 *
 * @param down A, [rank, in]
 * @param up B, [out, rank]
 * @param scale s
 */
public record LowRankChange(Tensor down, Tensor up, double scale) implements ChangedProduct.Change {
  /** The rank from which on changing the weight costs less than what is thinner beside it. */
  private static final long LEAST = 128;

  /**
   * The change, or null where the rank is so low that products beside the layer's cost as little.
   */
  public static @Nullable LowRankChange where(Tensor down, Tensor up, double scale) {
    return down.size(0) < LEAST ? null : new LowRankChange(down, up, scale);
  }

  @Override
  public List<Tensor> trained() {
    return List.of(down, up);
  }

  @Override
  public Tensor changed(Tensor weight, List<Tensor> trained) {
    DType type = weight.dtype();
    return LinearAlgebra.addProduct(weight, scaled(trained.get(1), type), trained.get(0).to(type));
  }

  @Override
  public List<@Nullable Tensor> gradients(
      Tensor input, Tensor gradient, List<Tensor> trained, List<Boolean> wanted) {
    Tensor a = trained.get(0);
    Tensor b = trained.get(1);
    List<@Nullable Tensor> all = new ArrayList<>();
    all.add(wanted.get(0) ? ofDown(input, gradient, b).to(a.dtype()) : null);
    all.add(wanted.get(1) ? ofUp(input, gradient, a).to(b.dtype()) : null);
    return all;
  }

  private Tensor ofDown(Tensor input, Tensor gradient, Tensor b) {
    Tensor inner = LinearAlgebra.matmul(gradient, scaled(b, input.dtype()));
    return LinearAlgebra.matmul(inner.transpose(0, 1), input);
  }

  private Tensor ofUp(Tensor input, Tensor gradient, Tensor a) {
    Tensor inner = LinearAlgebra.linear(input, scaled(a, input.dtype()), null);
    return LinearAlgebra.matmul(gradient.transpose(0, 1), inner);
  }

  /** Scaling a thin matrix costs less than scaling what is made of it. */
  private Tensor scaled(Tensor thin, DType type) {
    return Arithmetic.multiply(thin.to(type), scale);
  }

  @Override
  public boolean isCheap() {
    return true;
  }
}
