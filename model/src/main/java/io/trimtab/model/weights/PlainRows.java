package io.trimtab.model.weights;

import io.trimtab.kernel.Matrix;
import io.trimtab.kernel.Rows;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/** Plain numbers as products of single rows read them, where they are. */
final class PlainRows {
  private PlainRows() {}

  /** A matrix [out, in]; null for one whose type or place the kernels do not know. */
  static @Nullable Matrix of(Tensor matrix) {
    Rows.Type type =
        switch (matrix.dtype()) {
          case F32 -> Rows.Type.F32;
          case BF16 -> Rows.Type.BF16;
          default -> null;
        };
    long in = matrix.size(1);
    boolean rows = matrix.stride(1) == 1 && matrix.stride(0) == in;
    return type == null || !rows || !matrix.device().equals(Device.CPU)
        ? null
        : new Rows(type, Math.toIntExact(matrix.size(0)), Math.toIntExact(in), matrix.inPlace());
  }
}
