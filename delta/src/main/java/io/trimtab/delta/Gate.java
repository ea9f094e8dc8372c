package io.trimtab.delta;

import io.trimtab.model.Layout;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.LinearAlgebra;
import io.trimtab.tensor.Neural;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.util.List;

/**
 * How far a part of a delta is let through, from 0 to 1, for each row by itself: the mean over its
 * tokens of σ(W x + b) (Mao et al., "UniPELT: A Unified Framework for Parameter-Efficient Language
 * Model Tuning", 2022, section 2.3). AdapterHub's means count padding too; there is none here, so
 * rows give the same alone as in a batch.
 *
 * <p>A patch with a gate has to say that it {@linkplain io.trimtab.model.Patch#readsWholeRows()
 * reads whole rows}. In a decoder the mean holds tokens that come later; a pass with a cache, in
 * which these are still to come, is refused.
 *
 * @param weight W, [gates, in]
 * @param bias b, [gates]
 */
public record Gate(Parameter weight, Parameter bias) {
  /**
   * A gate that starts about half open: W normal with deviation 0.02, b zero.
   *
   * @param path its parameters' names are this and {@code .weight}, {@code .bias}
   * @param in the size of the vectors it looks at
   * @param gates how many numbers it gives for a row
   */
  public static Gate create(String path, long in, long gates, Device device, Rng rng) {
    try (Scope _ = Scope.open()) {
      return new Gate(
          Parameter.of(path + ".weight", rng.normal(0.02, DType.F32, device, gates, in)),
          Parameter.of(path + ".bias", Creation.zeros(DType.F32, device, gates)));
    }
  }

  /** Its parameters. */
  public List<Parameter> parameters() {
    return List.of(weight, bias);
  }

  /** From vectors [tokens, in] that lie as {@code layout} says to [rows, gates]. */
  public Tensor perRow(Tensor input, Layout layout) {
    return means(input, layout, rowOfToken(layout).to(input.device()));
  }

  /** The same for each token of a row: [tokens, gates]. */
  public Tensor perToken(Tensor input, Layout layout) {
    Tensor rows = rowOfToken(layout).to(input.device());
    return Indexing.select(means(input, layout, rows), 0, rows);
  }

  private Tensor means(Tensor input, Layout layout, Tensor rows) {
    DType type = input.dtype();
    Tensor open =
        Neural.sigmoid(LinearAlgebra.linear(input, weight.value().to(type), bias.value().to(type)));
    float[] parts = new float[layout.rows()];
    for (int row = 0; row < parts.length; row++) {
      parts[row] = 1f / Math.max(1, layout.length(row));
    }
    Tensor none = Creation.zeros(type, input.device(), layout.rows(), open.size(1));
    Tensor sums = Indexing.addRows(none, rows, open);
    Tensor factors = Creation.floats(parts, parts.length, 1).to(input.device()).to(type);
    return Arithmetic.multiply(sums, factors);
  }

  private static Tensor rowOfToken(Layout layout) {
    long[] rows = new long[layout.tokens()];
    for (int row = 0; row < layout.rows(); row++) {
      java.util.Arrays.fill(rows, layout.start(row), layout.start(row + 1), row);
    }
    return Creation.longs(rows, rows.length);
  }
}
