package io.trimtab.tensor;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * x Wᵀ + b with a matrix that is not trained, by the kernels that are fastest for the type, the
 * device and the sizes: the one place where that is chosen. A choice depends on the operands alone,
 * so that the same call always has the same result.
 *
 * <p>On the CPU there are two libraries of products in 32 bits, OpenBLAS, which the engine uses,
 * and oneDNN. The latter writes code for each shape it meets, so that small matrices are not worth
 * its while, and lays W out anew in each call. It is faster all the same: two to five times for a
 * dozen rows and fewer, for which OpenBLAS lays out W as well; about twice where OpenBLAS has
 * kernels for AVX2 alone and the processor more; by up to a quarter otherwise, and most in the
 * gradient dL/dx = dL/dy W, which reads W across its rows. Only long rows of W take OpenBLAS less
 * time, if it has kernels for AVX-512. In 16 bits the engine uses oneDNN by itself.
 */
public final class FrozenProduct {
  /** Rows of x from which on it pays to lay out any W anew. */
  private static final long ENOUGH_ROWS = 256;

  /** Numbers of W from which on it pays for two rows of x. */
  private static final long LARGE = 1 << 17;

  /** The size of an input from which on OpenBLAS's product of many rows may be the faster one. */
  private static final long LONG_ROWS = 2048;

  private FrozenProduct() {}

  /**
   * x Wᵀ + bias, with a gradient to x and the bias only.
   *
   * @param input x, [.., in]
   * @param weight W, [out, in]; must not require a gradient
   * @param bias [out], or null for none
   * @return [.., out]
   */
  public static Tensor linear(Tensor input, Tensor weight, @Nullable Tensor bias) {
    if (!isForOneDnn(input, weight) || (bias != null && bias.dtype() != DType.F32)) {
      return LinearAlgebra.linear(input, weight, bias);
    }
    Tensor within = bias != null && bias.requiresGradient() ? null : bias;
    Tensor product =
        input.requiresGradient()
            ? Gradients.custom(
                input, x -> product(x, weight, within), gradient -> toInput(gradient, weight))
            : product(input, weight, within);
    return bias == null || within != null ? product : Arithmetic.add(product, bias);
  }

  /** x Wᵀ + bias without a gradient. */
  static Tensor product(Tensor input, Tensor weight, @Nullable Tensor bias) {
    boolean leavesLongRows =
        weight.size(1) >= LONG_ROWS
            && input.elements() >= ENOUGH_ROWS * weight.size(1)
            && OpenBlas.hasAvx512();
    return isForOneDnn(input, weight) && !leavesLongRows
        ? oneDnn(input, weight, bias)
        : LinearAlgebra.linear(input, weight, bias);
  }

  /**
   * dL/dx = dL/dy W of y = x Wᵀ, without a graph.
   *
   * @param gradient dL/dy, [.., out]
   * @param weight W, [out, in]
   * @return [.., in]
   */
  public static Tensor toInput(Tensor gradient, Tensor weight) {
    Tensor turned = weight.transpose(0, 1);
    return isForOneDnn(gradient, turned)
        ? oneDnn(gradient, turned, null)
        : LinearAlgebra.matmul(gradient, weight);
  }

  private static boolean isForOneDnn(Tensor input, Tensor weight) {
    long rows = weight.elements() >= LARGE ? 2 : ENOUGH_ROWS;
    return weight.dtype() == DType.F32
        && input.dtype() == DType.F32
        && weight.device().equals(Device.CPU)
        && input.device().equals(Device.CPU)
        && input.rank() >= 2
        && input.size(-1) == weight.size(1)
        && input.elements() >= rows * weight.size(1)
        && Engine.hasOneDnn();
  }

  /** x Wᵀ + bias without a gradient; W may be a transposed view. */
  static Tensor oneDnn(Tensor input, Tensor weight, @Nullable Tensor bias) {
    return Operators.call(
            "mkldnn::_linear_pointwise", "", input, weight, bias, "none", List.of(), "")
        .getFirst();
  }
}
