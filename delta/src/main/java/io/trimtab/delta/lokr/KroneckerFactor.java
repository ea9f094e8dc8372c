package io.trimtab.delta.lokr;

import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.LinearAlgebra;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A matrix [rows, columns], whole or as a product of two thin ones.
 *
 * @param left the whole, or the first of the two, [rows, rank]
 * @param right the second, [rank, columns]; null where the first is the whole
 */
record KroneckerFactor(Parameter left, @Nullable Parameter right) {
  /** A whole matrix that starts at zero, or uniformly within ± 1 / √columns. */
  static KroneckerFactor whole(
      String name, long rows, long columns, boolean zero, Rng rng, Device device) {
    try (Scope _ = Scope.open()) {
      return new KroneckerFactor(Parameter.of(name, start(rows, columns, zero, rng, device)), null);
    }
  }

  /** A product of two, {@code name_a} and {@code name_b}, of which the first may start at zero. */
  static KroneckerFactor product(
      String name, long rows, int rank, long columns, boolean zero, Rng rng, Device device) {
    try (Scope _ = Scope.open()) {
      return new KroneckerFactor(
          Parameter.of(name + "_a", start(rows, rank, zero, rng, device)),
          Parameter.of(name + "_b", start(rank, columns, false, rng, device)));
    }
  }

  private static Tensor start(long rows, long columns, boolean zero, Rng rng, Device device) {
    double bound = 1 / Math.sqrt((double) columns);
    return zero
        ? Creation.zeros(DType.F32, device, rows, columns)
        : rng.uniform(-bound, bound, DType.F32, device, rows, columns);
  }

  /** The whole matrix, F32 [rows, columns]. */
  Tensor dense() {
    return right == null ? left.value() : LinearAlgebra.matmul(left.value(), right.value());
  }

  /** x Mᵀ: [.., columns] to [.., rows]. */
  Tensor apply(Tensor input) {
    DType type = input.dtype();
    Tensor inner =
        right == null ? input : LinearAlgebra.linear(input, right.value().to(type), null);
    return LinearAlgebra.linear(inner, left.value().to(type), null);
  }

  List<Parameter> parameters() {
    return right == null ? List.of(left) : List.of(left, right);
  }
}
