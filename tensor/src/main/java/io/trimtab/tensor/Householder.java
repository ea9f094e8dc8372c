package io.trimtab.tensor;

import org.bytedeco.pytorch.global.torch;

/** Matrices with orthonormal columns as products of reflections (Householder, 1958). */
public final class Householder {
  private Householder() {}

  /**
   * The first k columns of H₁ H₂ … Hₖ, where Hᵢ = I − 2 v vᵀ / (vᵀ v) reflects along the vector v
   * that is 0 above its i-th entry, 1 there, and {@code free}'s i-th column below. Any numbers give
   * orthonormal columns, so that these can be trained without a constraint.
   *
   * @param free [n, k] with n ≥ k; what is on and above its diagonal does not count
   * @return [n, k]
   */
  public static Tensor columns(Tensor free) {
    if (free.rank() != 2 || free.size(0) < free.size(1)) {
      throw new TensorException(
          "found " + free + " for reflections, expected [n, k] with n of at least k");
    }
    Tensor below = Call.of(() -> torch.tril(free.handle(), -1), free);
    Tensor squares = Reduction.sum(Arithmetic.multiply(below, below), 0);
    Tensor scales = Arithmetic.multiply(Arithmetic.power(Arithmetic.add(squares, 1), -1), 2);
    return Call.of(
        () -> torch.linalg_householder_product(below.handle(), scales.handle()), below, scales);
  }
}
