package io.trimtab.delta.hra;

import io.trimtab.delta.Part;
import io.trimtab.model.Linear;
import io.trimtab.model.Pass;
import io.trimtab.model.Patch;
import io.trimtab.model.Site;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.LinearAlgebra;
import io.trimtab.tensor.Matrices;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Reduction;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.util.List;

/**
 * Reflections of what a linear layer is given. The parameter is hra_u [in, r], a vector a column.
 *
 * <p>A chain of reflections is one correction of rank r: H₁ … Hᵣ = I - U T Uᵀ with U's columns of
 * length one and T⁻¹ what is above the diagonal of UᵀU, with ½ on it (Puglisi, "Modification of the
 * Householder method based on the compact WY representation", 1992). Orthogonal vectors that span
 * the same give I - 2 U (UᵀU)⁻¹ Uᵀ. So nothing of size [in, in] is ever built.
 */
final class HraLinear implements Part {
  private final Linear layer;
  private final Parameter vectors;
  private final boolean orthogonal;

  private HraLinear(Linear layer, Parameter vectors, boolean orthogonal) {
    this.layer = layer;
    this.vectors = vectors;
    this.orthogonal = orthogonal;
  }

  /** Uniform within ± 1 / √r as PEFT draws them; in equal pairs, which cancel, where they can. */
  static HraLinear create(Linear layer, int rank, boolean orthogonal, Rng rng) {
    long in = layer.weight().in();
    Device device = layer.weight().device();
    boolean paired = rank % 2 == 0 && !orthogonal;
    int drawn = paired ? rank / 2 : rank;
    double bound = 1 / Math.sqrt((double) drawn);
    try (Scope _ = Scope.open()) {
      Tensor start = rng.uniform(-bound, bound, DType.F32, device, in, drawn);
      Tensor twice = paired ? Indexing.stack(List.of(start, start), 2).reshape(in, rank) : start;
      return new HraLinear(layer, Parameter.of(layer.path() + ".hra_u", twice), orthogonal);
    }
  }

  @Override
  public Site<?> site() {
    return Site.input(layer.path());
  }

  @Override
  public Patch patch() {
    return (Patch.Input) this::apply;
  }

  private Tensor apply(Tensor input, Pass pass) {
    return reflected(input, true);
  }

  /** Rows times H₁ … Hᵣ, or times its transpose, Hᵣ … H₁. */
  private Tensor reflected(Tensor rows, boolean transposed) {
    // Of so thin a matrix double precision costs nothing, and nearly equal vectors want it.
    Tensor given = vectors.value().to(DType.F64);
    Tensor lengths = Arithmetic.squareRoot(Reduction.sum(Arithmetic.power(given, 2), 0));
    Tensor u = Arithmetic.divide(given, lengths);
    Tensor products = LinearAlgebra.matmul(u.transpose(0, 1), u);
    Tensor core;
    if (orthogonal) {
      core = Arithmetic.multiply(products, 0.5);
    } else {
      Tensor one = Matrices.identity(u.size(1), DType.F64, u.device());
      core = Arithmetic.addScaled(Matrices.aboveDiagonal(products), one, 0.5);
    }
    // T Uᵀ, [r, in], or Tᵀ Uᵀ
    Tensor right = Matrices.solve(transposed ? core.transpose(0, 1) : core, u.transpose(0, 1));
    DType type = rows.dtype();
    Tensor inner = LinearAlgebra.matmul(rows, u.to(type));
    return LinearAlgebra.addProduct(rows, Arithmetic.negate(inner), right.to(type));
  }

  @Override
  public List<Parameter> parameters() {
    return List.of(vectors);
  }

  @Override
  public List<String> baseTensors() {
    return List.of(layer.weightName());
  }

  @Override
  public Tensor merge(String name, Tensor stored) {
    return reflected(stored.to(DType.F32), false).to(stored.dtype());
  }
}
