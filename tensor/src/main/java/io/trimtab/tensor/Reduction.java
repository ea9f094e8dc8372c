package io.trimtab.tensor;

import org.bytedeco.pytorch.T_TensorTensor_T;
import org.bytedeco.pytorch.global.torch;

/** Sums, means, extremes: fewer elements out than in. */
public final class Reduction {
  /** The largest elements and where they stand. */
  public record Top(Tensor values, Tensor indices) {}

  private Reduction() {}

  /** The sum of all elements, a scalar. */
  public static Tensor sum(Tensor input) {
    return Call.of(() -> torch.sum(input.handle()), input);
  }

  /** The sum over one dimension, which vanishes. */
  public static Tensor sum(Tensor input, int dimension) {
    return Call.of(
        () -> torch.sum(input.handle(), new long[] {dimension}, false, Native.SAME_TYPE), input);
  }

  /** The mean of all elements, a scalar. */
  public static Tensor mean(Tensor input) {
    return Call.of(() -> torch.mean(input.handle()), input);
  }

  /** The mean over one dimension, kept with size one where {@code keep}. */
  public static Tensor mean(Tensor input, int dimension, boolean keep) {
    return Call.of(
        () -> torch.mean(input.handle(), new long[] {dimension}, keep, Native.SAME_TYPE), input);
  }

  /** The largest element, a scalar. */
  public static Tensor max(Tensor input) {
    return Call.of(() -> torch.max(input.handle()), input);
  }

  /** The index of the largest element along a dimension, as I64. */
  public static Tensor argMax(Tensor input, int dimension) {
    return Call.of(
        () -> torch.argmax(input.handle(), new org.bytedeco.pytorch.LongOptional(dimension), false),
        input);
  }

  /** The k largest elements along the last dimension, largest first. */
  public static Top top(Tensor input, int k) {
    T_TensorTensor_T pair = Call.get(() -> torch.topk(input.handle(), k), input);
    return new Top(Tensor.of(pair.get0()), Tensor.of(pair.get1()));
  }

  /** √Σx², of all elements, a scalar. */
  public static Tensor norm(Tensor input) {
    return Call.of(() -> torch.norm(input.handle()), input);
  }

  /** Whether every element is a finite number. */
  public static boolean allFinite(Tensor input) {
    try (Scope _ = Scope.open()) {
      return Call.of(() -> torch.isfinite(input.handle()).all(), input).toLongs()[0] == 1;
    }
  }

  /** The largest absolute difference of two tensors of one shape; 0 where they are empty. */
  public static double largestDifference(Tensor a, Tensor b) {
    if (!java.util.Arrays.equals(a.shape(), b.shape())) {
      throw new TensorException("found " + a + " compared with " + b + ", expected equal shapes");
    }
    if (a.elements() == 0) {
      return 0;
    }
    try (Scope _ = Scope.open()) {
      return max(Arithmetic.absolute(Arithmetic.subtract(a.to(DType.F64), b.to(DType.F64)))).item();
    }
  }
}
