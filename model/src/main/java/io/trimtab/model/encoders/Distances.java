package io.trimtab.model.encoders;

import io.trimtab.model.Attention;
import io.trimtab.model.Positions;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/** How far each query of a run stands behind each key. */
final class Distances {
  private Distances() {}

  /**
   * A function of the distance, for each pair of a query and a key.
   *
   * @param run rows of equally many queries and keys
   * @param wanted where the queries stand, or null where they are all tokens
   * @param values the function at distances -(keys - 1) to keys - 1, [2 · keys - 1]
   * @return [rows, queries, keys], or [1, queries, keys] where all rows are alike
   */
  static Tensor lookup(Attention.Run run, @Nullable Positions wanted, Tensor values) {
    int keys = run.keys();
    int rows = wanted == null ? 1 : run.rows();
    long[] at = new long[rows * run.queries() * keys];
    int next = 0;
    for (int row = 0; row < rows; row++) {
      int[] chosen = wanted == null ? null : wanted.ofRow(run.firstRow() + row);
      for (int query = 0; query < run.queries(); query++) {
        int position = chosen == null ? query : chosen[query];
        for (int key = 0; key < keys; key++) {
          at[next++] = (long) position - key + keys - 1;
        }
      }
    }
    Device device = values.device();
    return Indexing.select(values, 0, Creation.longs(at, at.length).to(device))
        .reshape(rows, run.queries(), keys);
  }
}
