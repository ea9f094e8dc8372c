package io.trimtab.tensor;

import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorOptionalList;
import org.bytedeco.pytorch.global.torch;

/** Matrices as such: identities, skew-symmetric ones, systems of equations, single entries. */
public final class Matrices {
  private Matrices() {}

  /** The identity [size, size]. */
  public static Tensor identity(long size, DType dtype, Device device) {
    return Call.of(() -> torch.eye(size, Native.options(dtype, device)));
  }

  /**
   * X with A X = B, over leading dimensions.
   *
   * @param a A, [.., n, n], F32 or F64; one that has no inverse is refused
   * @param b B, [.., n, k]
   * @return X, [.., n, k]
   */
  public static Tensor solve(Tensor a, Tensor b) {
    return Call.of(() -> torch.linalg_solve(a.handle(), b.handle(), true), a, b);
  }

  /**
   * X with X A = B, over leading dimensions.
   *
   * @param a A, [.., n, n], F32 or F64; one that has no inverse is refused
   * @param b B, [.., k, n]
   * @return X, [.., k, n]
   */
  public static Tensor solveFromRight(Tensor a, Tensor b) {
    return Call.of(() -> torch.linalg_solve(a.handle(), b.handle(), false), a, b);
  }

  /** A⁻¹ of A [.., n, n], F32 or F64; one that has none is refused. */
  public static Tensor inverse(Tensor a) {
    return Call.of(() -> torch.linalg_inv(a.handle()), a);
  }

  /** The part above the diagonal, [.., n, n]; zero elsewhere. */
  public static Tensor aboveDiagonal(Tensor a) {
    return Call.of(() -> torch.triu(a.handle(), 1), a);
  }

  /**
   * Skew-symmetric matrices from what is above their diagonals.
   *
   * @param upper [count, size (size - 1) / 2], row after row
   * @return Q [count, size, size] with Qᵀ = -Q
   */
  public static Tensor skewSymmetric(Tensor upper, long size) {
    return Scope.of(
        () -> {
          long count = upper.size(0);
          Tensor zeros = Creation.zeros(upper.dtype(), upper.device(), count, size, size);
          Tensor all = Creation.full(1, DType.BOOL, upper.device(), size, size);
          Tensor places = Indexing.expand(aboveDiagonal(all), count, size, size);
          if (upper.elements() != count * size * (size - 1) / 2) {
            throw new TensorException(
                "found "
                    + upper
                    + " above the diagonals of matrices of size "
                    + size
                    + ", expected "
                    + size * (size - 1) / 2
                    + " numbers a matrix; check the block size");
          }
          Tensor half =
              Call.of(
                  () -> torch.masked_scatter(zeros.handle(), places.handle(), upper.handle()),
                  upper);
          return Arithmetic.subtract(half, half.transpose(1, 2));
        });
  }

  /**
   * A copy of a matrix with values added to some of its entries; what repeats adds up.
   *
   * @param matrix [m, n]
   * @param rows I64 [k]; one that is outside is refused
   * @param columns I64 [k]
   * @param values [k], of the matrix's type
   */
  public static Tensor addEntries(Tensor matrix, Tensor rows, Tensor columns, Tensor values) {
    return Scope.of(
        () ->
            Call.of(
                () -> {
                  TensorOptionalList at = new TensorOptionalList();
                  at.push_back(new TensorOptional(rows.handle()));
                  at.push_back(new TensorOptional(columns.handle()));
                  return matrix.handle().index_put(at, values.handle(), true);
                },
                matrix,
                rows,
                columns,
                values));
  }
}
