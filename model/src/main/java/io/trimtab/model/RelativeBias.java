package io.trimtab.model;

import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A number for each head and bucket of distances, added to the scores (Raffel et al., 2020,
 * "Exploring the Limits of Transfer Learning", section 2.1). One table serves all blocks of a
 * stack; a pass looks its numbers up once.
 */
public final class RelativeBias implements Attention.PositionBias {
  private final Embedding table;
  private final boolean bothWays;
  private final int furthest;

  /**
   * A bias over a table.
   *
   * @param table [buckets, heads]
   * @param bothWays whether keys also come after queries; then half of the buckets are for those
   * @param furthest the distance from which on all are in the last bucket
   */
  public RelativeBias(Embedding table, boolean bothWays, int furthest) {
    this.table = table;
    this.bothWays = bothWays;
    this.furthest = furthest;
    if (table.rows() < (bothWays ? 4 : 2) || furthest <= buckets() / 2) {
      throw new ModelException(
          "found "
              + table.rows()
              + " buckets for distances up to "
              + furthest
              + ", expected at least "
              + (bothWays ? 4 : 2)
              + " and a larger distance; correct relative_attention_num_buckets and"
              + " relative_attention_max_distance in config.json");
    }
  }

  /** How many buckets there are for keys on one side of a query. */
  private int buckets() {
    return bothWays ? table.rows() / 2 : table.rows();
  }

  /** The bucket of a key that stands so many tokens after its query. */
  int bucket(int distance) {
    int each = buckets();
    int far = bothWays ? Math.abs(distance) : Math.max(-distance, 0);
    int side = bothWays && distance > 0 ? each : 0;
    int exact = each / 2;
    if (far < exact) {
      return side + far;
    }
    // In single precision, as the models were trained with.
    float share =
        (float) Math.log((float) far / exact) / (float) Math.log((double) furthest / exact);
    return side + Math.min(exact + (int) (share * (each - exact)), each - 1);
  }

  @Override
  public List<Layer> layers() {
    return List.of(table);
  }

  @Override
  public Attention.Bias of(Pass pass, @Nullable Positions wanted) {
    return new Attention.Bias() {
      @Override
      public Tensor of(Attention.Run run, Tensor query, Tensor key) {
        return shared(run, new Keys(0, run.keys()), query.dtype());
      }

      @Override
      public Tensor ofEarlier(Attention.Run run, int count, Tensor query) {
        return shared(run, new Keys(-count, count), query.dtype());
      }

      private Tensor shared(Attention.Run run, Keys keys, DType dtype) {
        return pass.shared(
            Lookup.of(RelativeBias.this, run, keys, pass, wanted, dtype),
            common -> common.hold(scores(run, keys, pass, wanted, dtype)));
      }
    };
  }

  /** Keys side by side, from a position on; those of a prefix stand before position 0. */
  private record Keys(int first, int count) {}

  /** What the numbers of a run are shared by. */
  private record Lookup(
      RelativeBias bias,
      List<List<Integer>> queries,
      Keys keys,
      int firstRow,
      int rows,
      int block,
      DType dtype) {
    static Lookup of(
        RelativeBias bias,
        Attention.Run run,
        Keys keys,
        Pass pass,
        @Nullable Positions wanted,
        DType dtype) {
      List<List<Integer>> queries =
          Arrays.stream(Attention.queryPositions(run, pass, wanted))
              .map(row -> Arrays.stream(row).boxed().toList())
              .toList();
      boolean alike = !bias.isTouched(pass) && queries.size() == 1;
      return new Lookup(
          bias,
          queries,
          keys,
          alike ? -1 : run.firstRow(),
          alike ? 1 : run.rows(),
          bias.isTouched(pass) ? pass.block() : -1, // patches may differ by it
          dtype);
    }
  }

  private boolean isTouched(Pass pass) {
    return table.sites().stream().anyMatch(pass::touches);
  }

  /** [rows or 1, heads, queries, keys]. */
  private Tensor scores(
      Attention.Run run, Keys keys, Pass pass, @Nullable Positions wanted, DType dtype) {
    int[][] queries = Attention.queryPositions(run, pass, wanted);
    if (!isTouched(pass)) {
      return scores(table.table(), queries, keys).to(dtype);
    }
    List<Tensor> parts = new ArrayList<>();
    int row = 0;
    for (Pass.Segment segment : pass.segments()) {
      int from = Math.max(row, run.firstRow());
      int to = Math.min(row + segment.rows(), run.firstRow() + run.rows());
      row += segment.rows();
      if (from < to) {
        Tensor own = scores(numbers(segment, pass), rows(queries, run, from, to), keys);
        parts.add(
            own.size(0) == to - from
                ? own
                : Indexing.expand(own, to - from, own.size(1), own.size(2), own.size(3)));
      }
    }
    return Indexing.concat(parts, 0).to(dtype);
  }

  private static int[][] rows(int[][] queries, Attention.Run run, int from, int to) {
    return queries.length == 1
        ? queries
        : Arrays.copyOfRange(queries, from - run.firstRow(), to - run.firstRow());
  }

  /** The table as a segment's patches change it. */
  private Tensor numbers(Pass.Segment segment, Pass pass) {
    int[] lengths = new int[segment.rows()];
    lengths[0] = table.rows();
    long[] all = new long[table.rows()];
    Arrays.setAll(all, bucket -> bucket);
    Tensor indices = Creation.longs(all, all.length).to(table.weight().device());
    return table.forward(indices, pass.of(segment, Layout.ofLengths(lengths)));
  }

  private Tensor scores(Tensor numbers, int[][] queries, Keys keys) {
    int each = queries[0].length;
    long[] buckets = new long[queries.length * each * keys.count()];
    int next = 0;
    for (int[] row : queries) {
      for (int position : row) {
        for (int key = 0; key < keys.count(); key++) {
          buckets[next++] = bucket(keys.first() + key - position);
        }
      }
    }
    Device device = numbers.device();
    Tensor found = Indexing.rows(numbers, Creation.longs(buckets, buckets.length).to(device));
    return Indexing.permute(
        found.reshape(queries.length, each, keys.count(), numbers.size(1)), 0, 3, 1, 2);
  }
}
