package io.trimtab.model;

import io.trimtab.tensor.Creation;
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
   * How packed tokens attend to each other.
   *
   * @param queries how the queries lie
   * @param keys how the keys and values lie
   * @param heads of the queries; keys and values have as many or a divisor
   * @param scale usually 1 / √size
   * @param bias what is added to the scores
   * @param prefixes keys and values before those of the rows, which every query sees
   */
  public record Shape(
      Layout queries, Layout keys, int heads, double scale, Bias bias, Prefixes prefixes) {}

  /**
   * Attention of packed queries over packed keys and values.
   *
   * @param query [queries of all rows, heads · size]
   * @param key [keys of all rows, heads · size]
   * @param value [keys of all rows, heads · size]
   * @return [queries of all rows, heads · size]
   */
  public static Tensor packed(Tensor query, Tensor key, Tensor value, Shape shape) {
    List<Run> runs = runs(shape);
    long[] querySizes = runs.stream().mapToLong(run -> (long) run.rows() * run.queries()).toArray();
    long[] keySizes = runs.stream().mapToLong(run -> (long) run.rows() * run.keys()).toArray();
    List<Tensor> queries = Indexing.split(query, 0, querySizes);
    List<Tensor> keys = Indexing.split(key, 0, keySizes);
    List<Tensor> values = Indexing.split(value, 0, keySizes);
    List<Tensor> results = new ArrayList<>();
    for (int i = 0; i < runs.size(); i++) {
      if (runs.get(i).queries() > 0) {
        Tensor mixed = attend(queries.get(i), keys.get(i), values.get(i), runs.get(i), shape);
        results.add(mixed.transpose(1, 2).reshape(querySizes[i], value.size(1)));
      }
    }
    return Indexing.concat(results, 0);
  }

  private static Tensor attend(Tensor query, Tensor key, Tensor value, Run run, Shape shape) {
    int heads = shape.heads();
    Tensor q = heads(query, run.rows(), run.queries(), heads);
    Tensor k = heads(key, run.rows(), run.keys(), heads);
    Tensor v = heads(value, run.rows(), run.keys(), heads);
    Tensor bias = shape.bias().of(run, q, k);
    Patch.KeysAndValues.Prefix prefix = shape.prefixes().of(run.firstRow(), run.rows());
    if (prefix == null) {
      return Neural.attention(q, k, v, bias, shape.scale());
    }
    int length = (int) prefix.keys().size(1);
    Tensor before = heads(prefix.keys().to(k.dtype()), run.rows(), length, heads);
    Tensor more = heads(prefix.values().to(v.dtype()), run.rows(), length, heads);
    return Neural.attention(
        q,
        Indexing.concat(List.of(before, k), 2),
        Indexing.concat(List.of(more, v), 2),
        bias == null ? null : withZerosBefore(bias, length),
        shape.scale());
  }

  /** Scores' additions [.., queries, keys] with nothing added for a prefix before the keys. */
  private static Tensor withZerosBefore(Tensor bias, int length) {
    long[] shape = bias.shape();
    shape[shape.length - 1] = length;
    Tensor zeros = Creation.zeros(bias.dtype(), bias.device(), shape);
    return Indexing.concat(List.of(zeros, bias), shape.length - 1);
  }

  /** A run's packed tokens [rows · length, heads · size] to [rows, heads, length, size]; a view. */
  private static Tensor heads(Tensor packed, int rows, int length, int heads) {
    long size = packed.size(packed.rank() - 1) / heads;
    return packed.reshape(rows, length, heads, size).transpose(1, 2);
  }

  private static List<Run> runs(Shape shape) {
    Layout queries = shape.queries();
    Layout keys = shape.keys();
    List<Run> runs = new ArrayList<>();
    int row = 0;
    while (row < queries.rows()) {
      int first = row;
      int end = shape.prefixes().endOfStretch(row, queries.rows());
      do {
        row++;
      } while (row < end
          && queries.length(row) == queries.length(first)
          && keys.length(row) == keys.length(first));
      runs.add(new Run(first, row - first, queries.length(first), keys.length(first)));
    }
    return runs;
  }
}
