package io.trimtab.tensor;

import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/** Products of matrices. */
public final class LinearAlgebra {
  private LinearAlgebra() {}

  /** a b for matrices, batched over leading dimensions: [.., m, k] × [.., k, n] → [.., m, n]. */
  public static Tensor matmul(Tensor a, Tensor b) {
    return Call.of(() -> torch.matmul(a.handle(), b.handle()), a, b);
  }

  /**
   * x Wᵀ + bias.
   *
   * @param input x, [.., in]
   * @param weight W, [out, in]
   * @param bias [out], or null for none
   * @return [.., out]
   */
  public static Tensor linear(Tensor input, Tensor weight, @Nullable Tensor bias) {
    return Call.of(
        () ->
            bias == null
                ? torch.linear(input.handle(), weight.handle())
                : torch.linear(input.handle(), weight.handle(), new TensorOptional(bias.handle())),
        input,
        weight,
        bias);
  }

  /** base + a b: [m, n] + [m, k] × [k, n], or base [n] added to every row. */
  public static Tensor addProduct(Tensor base, Tensor a, Tensor b) {
    return Call.of(() -> torch.addmm(base.handle(), a.handle(), b.handle()), base, a, b);
  }
}
