package io.trimtab.model;

import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Neural;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Scaled dot-product attention within each row of packed tensors. Rows of equal length that stand
 * side by side are computed as one block, so nothing is padded and no mask is needed.
 */
public final class Attention {
  private Attention() {}

  /**
   * Rows side by side with equally many queries and equally many keys.
   *
   * @param firstRow the first of them
   * @param rows how many
   * @param queries queries of each
   * @param keys keys of each
   */
  public record Run(int firstRow, int rows, int queries, int keys) {}

  /** What is added to the scores of a run: relative positions, windows. */
  @FunctionalInterface
  public interface Bias {
    /**
     * The scores' addition, or null for none.
     *
     * @param query [rows, heads, queries, size]
     * @param key [rows, heads, keys, size]
     * @return broadcast to [rows, heads, queries, keys]
     */
    @Nullable Tensor of(Run run, Tensor query, Tensor key);

    /** Nothing is added. */
    Bias NONE = (run, query, key) -> null;
  }

  /** What a block adds to its scores for where tokens stand, made of layers of its own. */
  public interface PositionBias {
    /**
     * The addition for one use of the block.
     *
     * @param pass how all tokens lie, and what acts on them
     * @param wanted the only tokens that are queries, or null for all
     */
    Bias of(Pass pass, @Nullable Positions wanted);

    /** The layers that it computes with. */
    List<Layer> layers();
  }

  /**
   * Attention of packed queries over packed keys and values.
   *
   * @param query [queries of all rows, heads · size]
   * @param key [keys of all rows, heads · size]
   * @param value [keys of all rows, heads · size]
   * @param queryLayout how the queries lie
   * @param keyLayout how the keys lie
   * @param scale usually 1 / √size
   * @return [queries of all rows, heads · size]
   */
  public static Tensor packed(
      Tensor query,
      Tensor key,
      Tensor value,
      Layout queryLayout,
      Layout keyLayout,
      int heads,
      double scale,
      Bias bias) {
    List<Run> runs = runs(queryLayout, keyLayout);
    long[] querySizes = runs.stream().mapToLong(run -> (long) run.rows() * run.queries()).toArray();
    long[] keySizes = runs.stream().mapToLong(run -> (long) run.rows() * run.keys()).toArray();
    List<Tensor> queries = Indexing.split(query, 0, querySizes);
    List<Tensor> keys = Indexing.split(key, 0, keySizes);
    List<Tensor> values = Indexing.split(value, 0, keySizes);
    List<Tensor> results = new ArrayList<>();
    for (int i = 0; i < runs.size(); i++) {
      Run run = runs.get(i);
      if (run.queries() == 0) {
        continue;
      }
      Tensor q = heads(queries.get(i), run.rows(), run.queries(), heads);
      Tensor k = heads(keys.get(i), run.rows(), run.keys(), heads);
      Tensor v = heads(values.get(i), run.rows(), run.keys(), heads);
      Tensor mixed = Neural.attention(q, k, v, bias.of(run, q, k), scale);
      results.add(mixed.transpose(1, 2).reshape(querySizes[i], value.size(1)));
    }
    return Indexing.concat(results, 0);
  }

  /** A run's packed tokens [rows · length, heads · size] to [rows, heads, length, size]; a view. */
  private static Tensor heads(Tensor packed, int rows, int length, int heads) {
    return packed.reshape(rows, length, heads, packed.size(1) / heads).transpose(1, 2);
  }

  private static List<Run> runs(Layout queries, Layout keys) {
    List<Run> runs = new ArrayList<>();
    int row = 0;
    while (row < queries.rows()) {
      int first = row;
      do {
        row++;
      } while (row < queries.rows()
          && queries.length(row) == queries.length(first)
          && keys.length(row) == keys.length(first));
      runs.add(new Run(first, row - first, queries.length(first), keys.length(first)));
    }
    return runs;
  }
}
