package io.trimtab.model;

import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Scaled dot-product attention within each row of packed tensors. Rows of equal length that stand
 * side by side are computed as one block, so nothing is padded and no mask is needed for that.
 */
public final class Attention {
  private Attention() {}

  /**
   * Rows side by side with equally many queries and equally many keys.
   *
   * @param firstRow the first of them
   * @param rows how many
   * @param queries queries of each
   * @param keys keys of each, earlier tokens' included
   */
  public record Run(int firstRow, int rows, int queries, int keys) {}

  /** What is added to the scores of a run: relative positions, windows. */
  @FunctionalInterface
  public interface Bias {
    /**
     * The scores' addition, or null for none.
     *
     * @param query [rows, heads, queries, size]
     * @param key [rows, key heads, keys of this pass, size]
     * @return broadcast to [rows, heads, queries, keys]
     */
    @Nullable Tensor of(Run run, Tensor query, Tensor key);

    /**
     * The addition for a prefix that is meant to be as many tokens before the row's first, or null
     * for none.
     *
     * @return broadcast to [rows, heads, queries, count]
     */
    default @Nullable Tensor ofEarlier(Run run, int count, Tensor query) {
      return null;
    }

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
   * What is the same in every use of a block's attention.
   *
   * @param heads of the queries
   * @param keyHeads of keys and values: as many, or a divisor
   * @param scale usually 1 / √size
   * @param causal whether a token sees itself and those before it alone
   * @param window where causal, how many tokens it sees, itself included; 0 for all
   * @param scoreCap the limit that scaled scores are bent to by tanh; 0 for none
   */
  public record Form(
      int heads, int keyHeads, double scale, boolean causal, int window, double scoreCap) {
    /** Heads with keys of their own that see the whole row. */
    public static Form whole(int heads, double scale) {
      return new Form(heads, heads, scale, false, 0, 0);
    }

    /** Checks that heads can share keys evenly. */
    public Form {
      if (heads < 1 || keyHeads < 1 || heads % keyHeads != 0) {
        throw new ModelException(
            "found "
                + heads
                + " attention heads over "
                + keyHeads
                + " heads of keys and values, expected a multiple; correct config.json");
      }
    }
  }

  /**
   * One use of a block's attention.
   *
   * @param pass how the keys lie, and what is kept of earlier tokens
   * @param wanted the only tokens that are queries, or null for all
   * @param bias what is added to the scores
   * @param prefixes keys and values before those of the rows, which every query sees
   * @param turning how keys that are kept are turned for a row of so many tokens, where that
   *     depends on the row's length; else null
   */
  public record Use(
      Pass pass,
      @Nullable Positions wanted,
      Bias bias,
      Prefixes prefixes,
      @Nullable Rotary turning) {
    Layout queries() {
      return wanted == null ? pass.layout() : wanted.layout();
    }
  }

  /**
   * Attention of packed queries over packed keys and values.
   *
   * @param query [queries of all rows, heads · size]
   * @param key [tokens of all rows, key heads · size]
   * @param value [tokens of all rows, key heads · size]
   * @return [queries of all rows, heads · size]
   */
  public static Tensor packed(Tensor query, Tensor key, Tensor value, Form form, Use use) {
    List<Run> runs = runs(use);
    RowChunks chunks = RowChunks.of(query, key, form, use, runs.size());
    if (chunks != null) {
      return chunks.attend(query, key, value, form);
    }
    Layout layout = use.pass().layout();
    long[] querySizes = runs.stream().mapToLong(run -> (long) run.rows() * run.queries()).toArray();
    long[] keySizes =
        runs.stream().mapToLong(run -> (long) run.rows() * layout.length(run.firstRow())).toArray();
    List<Tensor> queries = Indexing.split(query, 0, querySizes);
    List<Tensor> keys = Indexing.split(key, 0, keySizes);
    List<Tensor> values = Indexing.split(value, 0, keySizes);
    List<Tensor> results = new ArrayList<>();
    for (int i = 0; i < runs.size(); i++) {
      Run run = runs.get(i);
      Tensor k = heads(keys.get(i), run.rows(), form.keyHeads());
      Tensor v = heads(values.get(i), run.rows(), form.keyHeads());
      Known known = known(k, v, run, form, use);
      if (run.queries() > 0) {
        Tensor q = heads(queries.get(i), run.rows(), form.heads());
        Tensor mixed = attend(q, k, known, run, form, use);
        results.add(mixed.transpose(1, 2).reshape(querySizes[i], query.size(1)));
      }
    }
    return Indexing.concat(results, 0);
  }

  /** All keys and values that the queries of a run see, of which so many in front are a prefix. */
  private record Known(List<KeyValues> parts, int before) {}

  private static Known known(Tensor k, Tensor v, Run run, Form form, Use use) {
    KeyValueCache cache = use.pass().cache().orElse(null);
    int block = use.pass().block();
    boolean starts = use.pass().past(run.firstRow()) == 0;
    Patch.KeysAndValues.Prefix prefix =
        starts ? use.prefixes().of(run.firstRow(), run.rows()) : null;
    Tensor keys = k;
    Tensor values = v;
    int before = 0;
    if (prefix != null) {
      before = (int) prefix.keys().size(1);
      Tensor ahead = prefixHeads(prefix.keys().to(k.dtype()), run.rows(), form.keyHeads());
      Tensor aheadValues = prefixHeads(prefix.values().to(v.dtype()), run.rows(), form.keyHeads());
      keys = Indexing.concat(List.of(ahead, k), 2);
      values = Indexing.concat(List.of(aheadValues, v), 2);
    }
    if (cache == null) {
      return new Known(List.of(new KeyValues(keys, values)), before);
    }
    List<KeyValues> parts = cache.append(block, run.firstRow(), keys, values, before);
    int ahead = cache.before(block, run.firstRow());
    return new Known(
        use.turning() == null ? parts : turned(parts, ahead, run, use, use.turning()), ahead);
  }

  /** Kept keys turned to where they stand in rows of the present length; a prefix is not. */
  private static List<KeyValues> turned(
      List<KeyValues> parts, int ahead, Run run, Use use, Rotary rotary) {
    int shift = use.prefixes().shift(run.firstRow());
    int length = run.keys() + shift;
    List<KeyValues> turned = new ArrayList<>();
    int at = -ahead;
    for (KeyValues part : parts) {
      int count = (int) part.tokens();
      int still = Math.clamp(-at, 0, count);
      Tensor rest = Indexing.slice(part.keys(), 2, still, count - still);
      Tensor keys =
          rotary
              .angles(Math.max(at, 0) + shift, count - still, length, rest.dtype(), rest.device())
              .rotateRows(rest);
      turned.add(
          new KeyValues(
              still == 0
                  ? keys
                  : Indexing.concat(List.of(Indexing.slice(part.keys(), 2, 0, still), keys), 2),
              part.values()));
      at += count;
    }
    return turned;
  }

  private static Tensor attend(Tensor q, Tensor k, Known known, Run run, Form form, Use use) {
    Tensor own = use.bias().of(run, q, k);
    Tensor bias = own == null ? null : withPrefix(own, known.before(), q, run, use);
    AttentionKernel kernel = new AttentionKernel(form, q);
    // Where a prefix moves the tokens, it stands at positions itself, and a window ends in it.
    boolean counted = known.before() > 0 && use.prefixes().shift(run.firstRow()) == known.before();
    int seen = run.keys() + (counted ? known.before() : 0);
    boolean all = form.window() == 0 || form.window() >= seen;
    if (!form.causal() || (all && run.queries() == 1 && onlyLast(run, use))) {
      return kernel.mix(known.parts(), bias);
    }
    boolean plain = bias == null && known.before() == 0 && form.scoreCap() == 0;
    if (all && plain && run.queries() == run.keys() && known.parts().size() == 1) {
      KeyValues only = known.parts().getFirst();
      return kernel.causal(only.keys(), only.values());
    }
    CausalMask key = CausalMask.of(run, form.window(), known.before(), counted, use);
    Tensor mask = use.pass().shared(key, common -> common.hold(key.tensor(q.dtype(), q.device())));
    return kernel.mix(known.parts(), bias == null ? mask : Arithmetic.add(bias, mask));
  }

  /** Whether the one query of each row is its last token, which sees all others. */
  private static boolean onlyLast(Run run, Use use) {
    for (int row = run.firstRow(); row < run.firstRow() + run.rows(); row++) {
      Positions wanted = use.wanted();
      if (wanted != null && wanted.ofRow(row)[0] != use.pass().layout().length(row) - 1) {
        return false;
      }
    }
    return true;
  }

  /** Scores' additions [.., queries, keys] with those for a prefix before the keys. */
  private static Tensor withPrefix(Tensor bias, int length, Tensor query, Run run, Use use) {
    if (length == 0) {
      return bias;
    }
    int last = bias.rank() - 1;
    boolean earlier = use.prefixes().shift(run.firstRow()) > 0;
    Tensor before = earlier ? use.bias().ofEarlier(run, length, query) : null;
    if (before == null) {
      long[] shape = bias.shape();
      shape[last] = length;
      before = Creation.zeros(bias.dtype(), bias.device(), shape);
    }
    return Indexing.concat(List.of(before, bias), last);
  }

  /** A run's packed tokens [rows · length, heads · size] to [rows, heads, length, size]; a view. */
  private static Tensor heads(Tensor packed, int rows, int heads) {
    long size = packed.size(1) / heads;
    return packed.reshape(rows, packed.size(0) / rows, heads, size).transpose(1, 2);
  }

  /** Prefixes [rows, n, key heads · size] to [rows, key heads, n, size]; a view. */
  private static Tensor prefixHeads(Tensor prefix, int rows, int heads) {
    return prefix.reshape(rows, prefix.size(1), heads, prefix.size(2) / heads).transpose(1, 2);
  }

  private static List<Run> runs(Use use) {
    Layout queries = use.queries();
    Layout keys = use.pass().layout();
    KeyValueCache cache = use.pass().cache().orElse(null);
    List<Run> runs = new ArrayList<>();
    int row = 0;
    while (row < queries.rows()) {
      int first = row;
      int end = // rows that are kept together are alike in all this and appended together
          cache == null ? use.prefixes().endOfStretch(row, queries.rows()) : cache.endOfGroup(row);
      do {
        row++;
      } while (row < end
          && queries.length(row) == queries.length(first)
          && keys.length(row) == keys.length(first));
      int length = use.pass().past(first) + keys.length(first);
      runs.add(new Run(first, row - first, queries.length(first), length));
    }
    return runs;
  }

  /** The positions of a run's queries, one list for all rows where these are alike. */
  static int[][] queryPositions(Run run, Pass pass, @Nullable Positions wanted) {
    int[][] perRow = new int[run.rows()][];
    for (int i = 0; i < perRow.length; i++) {
      int row = run.firstRow() + i;
      int[] all = pass.positions(row);
      perRow[i] =
          wanted == null ? all : Arrays.stream(wanted.ofRow(row)).map(at -> all[at]).toArray();
    }
    boolean alike = Arrays.stream(perRow).allMatch(row -> Arrays.equals(row, perRow[0]));
    return alike ? new int[][] {perRow[0]} : perRow;
  }
}
