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
 * @param counted whether the window is over these too, so that later tokens see none of them; else
 *     all tokens see them
 */
record CausalMask(List<List<Integer>> queries, int keys, int window, int before, boolean counted) {

  static CausalMask of(
      Attention.Run run, int window, int before, boolean counted, Attention.Use use) {
    List<List<Integer>> queries =
        Arrays.stream(Attention.queryPositions(run, use.pass(), use.wanted()))
            .map(row -> Arrays.stream(row).boxed().toList())
            .toList();
    return new CausalMask(queries, run.keys(), window, before, counted);
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
        int first = window == 0 ? -before : position - window + 1; // counted from the first token
        int ahead = counted ? Math.min(before, Math.max(0, before + first)) : 0;
        Arrays.fill(values, start + ahead, start + before, 0);
        int from = start + before + Math.max(0, first);
        Arrays.fill(values, from, start + before + position + 1, 0);
        start += all;
      }
    }
    return Creation.floats(values, queries.size(), 1, each, all).to(dtype).to(device);
  }
}
