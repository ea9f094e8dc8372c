package io.trimtab.model;

import io.trimtab.kernel.Matrix;
import io.trimtab.kernel.Rows;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.FrozenProduct;
import io.trimtab.tensor.LinearAlgebra;
import io.trimtab.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/** The matrix of a linear layer, in whatever form it is held. */
public interface Weight {
  /**
   * x Wᵀ + bias: [tokens, in] to [tokens, out], in memory of its own. Outside training low-rank
   * changes are added to the result in place, so that it must share its elements with nothing:
   * neither with the input, nor the weight, nor with what another call gave or will give.
   */
  Tensor product(Tensor input, @Nullable Tensor bias);

  /** W as a plain tensor [out, in]. */
  Tensor dense();

  /**
   * The matrix as products of single rows read it, in memory that is freed with this weight; null
   * where they go through {@link #product} alone.
   */
  default @Nullable Matrix matrix() {
    return null;
  }

  /** The size of an input. */
  long in();

  /** The size of an output. */
  long out();

  /** A plain matrix [out, in]. */
  record Dense(Tensor dense) implements Weight {
    @Override
    public Tensor product(Tensor input, @Nullable Tensor bias) {
      // What a patch made of the stored matrix may be trained.
      return dense.requiresGradient()
          ? LinearAlgebra.linear(input, dense, bias)
          : FrozenProduct.linear(input, dense, bias);
    }

    @Override
    public @Nullable Matrix matrix() {
      Rows.Type type =
          switch (dense.dtype()) {
            case F32 -> Rows.Type.F32;
            case BF16 -> Rows.Type.BF16;
            default -> null;
          };
      boolean row = dense.stride(1) == 1 && dense.stride(0) == in();
      boolean plain = row && dense.device().equals(Device.CPU) && !dense.requiresGradient();
      return type == null || !plain
          ? null
          : new Rows(type, Math.toIntExact(out()), Math.toIntExact(in()), dense.inPlace());
    }

    @Override
    public long in() {
      return dense.size(1);
    }

    @Override
    public long out() {
      return dense.size(0);
    }
  }
}
