package io.trimtab.delta.lora;

import io.trimtab.delta.DeltaException;
import io.trimtab.model.Linear;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Tensor;

/**
 * Where LoRA's two matrices start at a linear layer. {@link Starts} holds those that need the
 * layer's weight at most; one that looks at data, as {@link Eva} does, implements this itself.
 *
 * <p>PEFT takes a start whose product is not zero off the stored weight. Here the base is shared
 * and never changes: the start is kept beside the matrices and subtracted, s (B A − B₀ A₀), and
 * files hold the plain LoRA of twice the rank, [A; A₀] and [B, −B₀], that is the same.
 */
@FunctionalInterface
public interface LoraStart {
  /**
   * The matrices at the start, in F32.
   *
   * @param down A [rank, in]
   * @param up B [out, rank]
   */
  record Factors(Tensor down, Tensor up) {}

  /**
   * The start at one layer.
   *
   * @param layer where it is
   * @param weight the stored rows that B A acts on, F32 [out, in]: all of the layer's, or a fused
   *     layer's part; in the layer's own type where the start does not {@linkplain #readsWeight
   *     read} it
   * @param rank the inner size
   * @param scale what B A is multiplied by
   * @param rng where random numbers come from; a start that {@linkplain #isSubtracted is
   *     subtracted} must not depend on it, so that a copy of a delta begins at the same
   */
  Factors of(Linear layer, Tensor weight, int rank, double scale, Rng rng);

  /** Whether it looks at the weight's numbers and not at its shape alone. */
  default boolean readsWeight() {
    return true;
  }

  /**
   * Whether the product is taken off the base, so that tuning begins at the base's results; needed
   * wherever it is not zero.
   */
  default boolean isSubtracted() {
    return true;
  }

  /**
   * The start of a name in PEFT's files: {@code true}, {@code gaussian}, {@code orthogonal}, {@code
   * pissa}, {@code pissa_niter_N}, {@code olora} or {@code mica}.
   *
   * @throws DeltaException.Unsupported for another
   */
  static LoraStart named(String name) {
    return switch (name) {
      case "true", "kaiming" -> Starts.KAIMING;
      case "gaussian" -> Starts.GAUSSIAN;
      case "orthogonal" -> Starts.ORTHOGONAL;
      case "pissa" -> Starts.PISSA;
      case "olora" -> Starts.OLORA;
      case "mica" -> Starts.MICA;
      default -> {
        if (name.matches("pissa_niter_\\d{1,3}")) {
          yield new FastPissa(Integer.parseInt(name.substring("pissa_niter_".length())));
        }
        throw new DeltaException.Unsupported(
            "found the start \""
                + name
                + "\" for LoRA, expected kaiming, gaussian, orthogonal, pissa, pissa_niter_N, olora"
                + " or mica");
      }
    };
  }
}
