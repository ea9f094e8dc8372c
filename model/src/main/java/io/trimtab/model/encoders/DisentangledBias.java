package io.trimtab.model.encoders;

import io.trimtab.model.Attention;
import io.trimtab.model.Embedding;
import io.trimtab.model.Layer;
import io.trimtab.model.Layout;
import io.trimtab.model.Linear;
import io.trimtab.model.Norm;
import io.trimtab.model.Pass;
import io.trimtab.model.Positions;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.LinearAlgebra;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The two terms by which DeBERTa's attention sees relative positions (He et al., 2020, "DeBERTa",
 * equation 4): content to position, Q_i · K^r(δ(i,j)), and position to content, K_j · Q^r(δ(i,j)).
 * K^r and Q^r are projections of one table of relative positions. Only the rows of the table that
 * the batch's distances can name are projected.
 */
final class DisentangledBias implements Attention.PositionBias {
  private final Embedding table;
  private final @Nullable Norm norm;
  private final @Nullable Linear keys;
  private final @Nullable Linear queries;
  private final LogBuckets buckets;
  private final int heads;
  private final double scale;

  /**
   * A bias of the given parts.
   *
   * @param table vectors of relative positions, [2 · span, hidden]
   * @param norm of the table's rows, or null
   * @param keys makes K^r; null for no content-to-position term
   * @param queries makes Q^r; null for no position-to-content term
   * @param scale what the block multiplies its scores by
   */
  DisentangledBias(
      Embedding table,
      @Nullable Norm norm,
      @Nullable Linear keys,
      @Nullable Linear queries,
      LogBuckets buckets,
      int heads,
      double scale) {
    this.table = table;
    this.norm = norm;
    this.keys = keys;
    this.queries = queries;
    this.buckets = buckets;
    this.heads = heads;
    this.scale = scale;
  }

  @Override
  public List<Layer> layers() {
    return Stream.<@Nullable Layer>of(table, norm, keys, queries)
        .<Layer>mapMulti(
            (layer, sink) -> {
              if (layer != null) {
                sink.accept(layer);
              }
            })
        .toList();
  }

  @Override
  public Attention.Bias of(Pass pass, @Nullable Positions wanted) {
    Layout layout = pass.layout();
    int longest = IntStream.range(0, layout.rows()).map(layout::length).max().orElse(1);
    int reach = buckets.reach(longest - 1);
    int first = buckets.span() - reach;
    int count = Math.min(2 * buckets.span(), buckets.span() + reach + 1) - first;
    int[] starts = segmentStarts(pass);
    Pass here = tablePass(pass, starts, count);
    Tensor vectors = table.forward(indices(first, count, starts.length), here);
    Tensor normed = norm == null ? vectors : norm.forward(vectors, here);
    Tensor positionKeys = keys == null ? null : keys.forward(normed, here);
    Tensor positionQueries = queries == null ? null : queries.forward(normed, here);
    return (run, query, key) -> {
      Tensor rows = rows(run, wanted, first);
      List<Tensor> parts = new ArrayList<>();
      for (int s = 0; s < starts.length; s++) {
        int next = s + 1 < starts.length ? starts[s + 1] : layout.rows();
        int from = Math.max(starts[s], run.firstRow()) - run.firstRow();
        int to = Math.min(next, run.firstRow() + run.rows()) - run.firstRow();
        if (from < to) {
          Tensor at = rows.size(0) == 1 ? rows : Indexing.slice(rows, 0, from, to - from);
          parts.add(
              scores(
                  cut(query, from, to),
                  cut(key, from, to),
                  perHead(positionKeys, s, count),
                  perHead(positionQueries, s, count),
                  at));
        }
      }
      return Indexing.concat(parts, 0);
    };
  }

  /** The first row of each stretch of rows that needs projections of its own. */
  private int[] segmentStarts(Pass pass) {
    boolean touched =
        layers().stream().flatMap(layer -> layer.sites().stream()).anyMatch(pass::touches);
    if (!touched) {
      return new int[] {0};
    }
    List<Integer> starts = new ArrayList<>();
    int row = 0;
    for (Pass.Segment segment : pass.segments()) {
      if (segment.rows() > 0) {
        starts.add(row);
      }
      row += segment.rows();
    }
    return starts.stream().mapToInt(Integer::intValue).toArray();
  }

  /** A pass in which the first row of each stretch has the table's vectors as its tokens. */
  private static Pass tablePass(Pass pass, int[] starts, int count) {
    int[] lengths = new int[pass.layout().rows()];
    for (int start : starts) {
      lengths[start] = count;
    }
    return pass.at(Layout.ofLengths(lengths));
  }

  private Tensor indices(int first, int count, int times) {
    long[] indices = new long[count * times];
    for (int i = 0; i < indices.length; i++) {
      indices[i] = (long) first + i % count;
    }
    return Creation.longs(indices, indices.length).to(table.weight().device());
  }

  /** For each query and key the row of the projections, I64 [rows or 1, queries, keys]. */
  private Tensor rows(Attention.Run run, @Nullable Positions wanted, int first) {
    long[] values = new long[2 * run.keys() - 1];
    for (int i = 0; i < values.length; i++) {
      values[i] = (long) buckets.row(i - run.keys() + 1) - first;
    }
    Device device = table.weight().device();
    return Distances.lookup(run, wanted, Creation.longs(values, values.length).to(device));
  }

  /** One stretch's projections, [.., heads · size] to [heads, size, count]. */
  private @Nullable Tensor perHead(@Nullable Tensor projected, int stretch, int count) {
    return projected == null
        ? null
        : Indexing.permute(
            Indexing.slice(projected, 0, (long) stretch * count, count)
                .reshape(count, heads, projected.size(1) / heads),
            1,
            2,
            0);
  }

  private static Tensor cut(Tensor perRow, int from, int to) {
    return perRow.size(0) == to - from ? perRow : Indexing.slice(perRow, 0, from, to - from);
  }

  private Tensor scores(
      Tensor query,
      Tensor key,
      @Nullable Tensor positionKeys,
      @Nullable Tensor positionQueries,
      Tensor rows) {
    long n = query.size(0);
    long[] shape = {heads, n, query.size(2), key.size(2)};
    Tensor at = Indexing.expand(Indexing.unsqueeze(rows, 0), shape);
    Tensor sum = null;
    if (positionKeys != null) {
      sum = Indexing.gather(products(query, positionKeys), 3, at);
    }
    if (positionQueries != null) {
      Tensor flipped = Indexing.gather(products(key, positionQueries), 3, at.transpose(2, 3));
      Tensor term = flipped.transpose(2, 3);
      sum = sum == null ? term : Arithmetic.add(sum, term);
    }
    if (sum == null) {
      throw new IllegalStateException("a bias has at least one of its two terms");
    }
    return Arithmetic.multiply(sum.transpose(0, 1), scale);
  }

  /** [rows, heads, tokens, size] × [heads, size, count] to [heads, rows, tokens, count]. */
  private static Tensor products(Tensor tokens, Tensor positions) {
    long rows = tokens.size(0);
    long heads = tokens.size(1);
    long length = tokens.size(2);
    Tensor perHead = tokens.transpose(0, 1).reshape(heads, rows * length, tokens.size(3));
    return LinearAlgebra.matmul(perHead, positions).reshape(heads, rows, length, positions.size(2));
  }
}
