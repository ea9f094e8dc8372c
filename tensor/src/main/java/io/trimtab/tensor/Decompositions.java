package io.trimtab.tensor;

import java.util.List;
import org.bytedeco.pytorch.T_TensorTensorTensor_T;
import org.bytedeco.pytorch.T_TensorTensor_T;
import org.bytedeco.pytorch.global.torch;

/**
 * Matrices as products of simpler ones. In F32 or F64; narrower types are refused by the engine, so
 * convert them first.
 */
public final class Decompositions {
  /**
   * A = U diag(s) Vᵀ with k = min(m, n) singular values, or fewer where only the largest are asked
   * for.
   *
   * @param u [m, k], orthonormal columns
   * @param values s [k], largest first, none negative
   * @param vt Vᵀ [k, n], orthonormal rows
   */
  public record Svd(Tensor u, Tensor values, Tensor vt) {}

  /**
   * A = Q R.
   *
   * @param q [m, k], orthonormal columns, k = min(m, n)
   * @param r [k, n], upper triangular
   */
  public record Qr(Tensor q, Tensor r) {}

  private Decompositions() {}

  /** The singular value decomposition of a matrix [m, n], reduced to k = min(m, n). */
  public static Svd svd(Tensor matrix) {
    return Call.get(
        () -> {
          T_TensorTensorTensor_T parts =
              torch.linalg_svd(
                  matrix.handle(), false, new org.bytedeco.pytorch.StringViewOptional());
          return new Svd(Tensor.of(parts.get0()), Tensor.of(parts.get1()), Tensor.of(parts.get2()));
        },
        matrix);
  }

  /** The QR decomposition of a matrix [m, n], reduced to k = min(m, n). */
  public static Qr qr(Tensor matrix) {
    return Call.get(
        () -> {
          T_TensorTensor_T parts = torch.linalg_qr(matrix.handle());
          return new Qr(Tensor.of(parts.get0()), Tensor.of(parts.get1()));
        },
        matrix);
  }

  /**
   * The largest singular values and their vectors, nearly, at a fraction of the cost: the
   * randomised range finder with power iterations of Halko, Martinsson and Tropp, "Finding
   * Structure with Randomness", 2011, algorithms 4.4 and 5.1.
   *
   * @param matrix [m, n]
   * @param rank how many values, at most min(m, n)
   * @param iterations power iterations; more are nearer, 2 to 16 are usual
   * @param rng where the random directions come from
   */
  public static Svd largest(Tensor matrix, int rank, int iterations, Rng rng) {
    long most = Math.min(matrix.size(0), matrix.size(1));
    if (rank < 1 || rank > most || iterations < 0) {
      throw new TensorException(
          "found rank "
              + rank
              + " and "
              + iterations
              + " iterations for "
              + matrix
              + ", expected 1 to "
              + most
              + " and 0 or more; correct them");
    }
    try (Scope scope = Scope.open()) {
      Tensor directions = rng.normal(1, matrix.dtype(), matrix.device(), matrix.size(1), rank);
      Tensor range = qr(LinearAlgebra.matmul(matrix, directions)).q();
      Tensor transposed = matrix.transpose(0, 1);
      for (int i = 0; i < iterations; i++) {
        range = qr(LinearAlgebra.matmul(transposed, range)).q();
        range = qr(LinearAlgebra.matmul(matrix, range)).q();
      }
      Svd small = svd(LinearAlgebra.matmul(range.transpose(0, 1), matrix));
      Svd found = new Svd(LinearAlgebra.matmul(range, small.u()), small.values(), small.vt());
      scope.keepAll(List.of(found.u(), found.values(), found.vt()));
      return found;
    }
  }
}
