package io.trimtab.tensor;

/** Products with matrices of whole numbers, by kernels that never make them plain. */
public final class IntegerProducts {
  private IntegerProducts() {}

  /**
   * x Wᵀ for a W whose rows are whole numbers times a scale, without a gradient.
   *
   * @param input x, F32 or BF16 [m, in], on the CPU
   * @param codes I8 [out, in]
   * @param scales of x's type, [out]
   * @return of x's type, [m, out]
   */
  public static Tensor int8Rows(Tensor input, Tensor codes, Tensor scales) {
    return Operators.call("aten::_weight_int8pack_mm", "", input.contiguous(), codes, scales)
        .getFirst();
  }
}
