package io.trimtab.delta.lora;

import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Gradients;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.LinearAlgebra;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Reduction;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;

/**
 * The magnitudes of weight-decomposed LoRA: W' = m (W + s B A) / ‖W + s B A‖, a norm and a
 * magnitude for each row of W (Liu et al., "DoRA: Weight-Decomposed Low-Rank Adaptation", 2024,
 * equation 5). No gradient flows through the norm, as section 4.3 has it.
 *
 * <p>‖w + s b A‖² = ‖w‖² + 2 s b · A w + s² b (A Aᵀ) bᵀ for each row w, b, so that no matrix of W's
 * shape is made.
 */
final class Dora {
  /** Below it a row counts as zero, and its magnitude, zero too, leaves it so. */
  private static final double TINY = 1e-30;

  private final Parameter magnitude;
  private final double[] squares;

  private Dora(Parameter magnitude, double[] squares) {
    this.magnitude = magnitude;
    this.squares = squares;
  }

  /** Magnitudes [out] that leave the rows of {@code weight} [out, in] as they are. */
  static Dora of(String path, Tensor weight) {
    try (Scope _ = Scope.open()) {
      Tensor wide = weight.to(DType.F64);
      Tensor squares = Reduction.sum(Arithmetic.multiply(wide, wide), 1);
      Tensor lengths = Arithmetic.squareRoot(squares.to(DType.F32));
      return new Dora(Parameter.of(path + ".lora_magnitude_vector", lengths), squares.toDoubles());
    }
  }

  Parameter magnitude() {
    return magnitude;
  }

  /**
   * m / ‖W + s B A‖ [out], in F32 (in F64 where the weight is).
   *
   * @param weight W [out, in]
   * @param down A [rank, in]
   * @param up B [out, rank]
   */
  Tensor factor(Tensor weight, Tensor down, Tensor up, double scale) {
    DType type = weight.dtype() == DType.F64 ? DType.F64 : DType.F32;
    Tensor norm =
        Gradients.none(
            () -> Scope.of(() -> norm(weight.to(type), down.to(type), up.to(type), scale, type)));
    return Arithmetic.divide(magnitude.value().to(type), norm);
  }

  private Tensor norm(Tensor weight, Tensor down, Tensor up, double scale, DType type) {
    Tensor stored = Creation.doubles(squares, squares.length).to(type).to(weight.device());
    Tensor across = LinearAlgebra.linear(weight, down, null); // W Aᵀ [out, rank]
    Tensor gram = LinearAlgebra.linear(down, down, null); // A Aᵀ [rank, rank]
    Tensor both =
        Arithmetic.addScaled(
            Arithmetic.multiply(across, 2 * scale), LinearAlgebra.matmul(up, gram), scale * scale);
    Tensor square = Arithmetic.add(stored, Reduction.sum(Arithmetic.multiply(up, both), 1));
    Tensor tiny = Creation.scalar(TINY, type, weight.device());
    return Arithmetic.squareRoot(Arithmetic.fillWhere(square, Arithmetic.less(square, tiny), TINY));
  }

  /** base + (m / norm − 1) (base − bias) + m / norm · lora for outputs [tokens, out]. */
  static Tensor rescaled(Tensor output, Tensor base, Tensor lora, Tensor factor) {
    DType type = output.dtype();
    Tensor change =
        Arithmetic.multiply(base, Indexing.unsqueeze(Arithmetic.add(factor, -1).to(type), 0));
    Tensor scaled = Arithmetic.multiply(lora, Indexing.unsqueeze(factor.to(type), 0));
    return Arithmetic.add(Arithmetic.add(output, change), scaled);
  }
}
