package io.trimtab.model;

import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Tensor;
import java.util.Arrays;
import java.util.List;

/**
 * Which keys queries see: those of a prefix, and of the tokens themselves and some before them.
 *
 * @param queries the positions of the queries of each row, or of one where all rows are alike
 * @param keys how many tokens have keys
 * @param window how many of them a query sees, itself included; 0 for all
 * @param before how many keys stand in front of the tokens'
 */
record CausalMask(List<List<Integer>> queries, int keys, int window, int before) {

  static CausalMask of(Attention.Run run, int window, int before, Attention.Use use) {
    List<List<Integer>> queries =
        Arrays.stream(Attention.queryPositions(run, use.pass(), use.wanted()))
            .map(row -> Arrays.stream(row).boxed().toList())
            .toList();
    return new CausalMask(queries, run.keys(), window, before);
  }

  /** 0 for what is seen and minus infinity for the rest, [rows or 1, 1, queries, all keys]. */
  Tensor tensor(DType dtype, Device device) {
    int each = queries.getFirst().size();
    int all = before + keys;
    float[] values = new float[queries.size() * each * all];
    Arrays.fill(values, Float.NEGATIVE_INFINITY);
    int start = 0;
    for (List<Integer> row : queries) {
      for (int position : row) {
        Arrays.fill(values, start, start + before, 0);
        int first = window == 0 ? 0 : Math.max(0, position - window + 1);
        Arrays.fill(values, start + before + first, start + before + position + 1, 0);
        start += all;
      }
    }
    return Creation.floats(values, queries.size(), 1, each, all).to(dtype).to(device);
  }
}
