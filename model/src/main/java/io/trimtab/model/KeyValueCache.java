package io.trimtab.model;

import io.trimtab.kernel.Kernel;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The keys and values of tokens that have been through a decoder, so that the next tokens of the
 * same rows need not compute them again. It starts empty, is filled by passes that {@linkplain
 * Pass#caching carry it}, and belongs to one thread at a time; the model knows nothing of it.
 *
 * <p>What many rows have in common is stored once: after {@link #fork}, each row's continuations
 * share its keys and values, and attention multiplies the queries of all of them with these as one
 * matrix.
 *
 * <p>The next tokens come to what they would come to in whole rows, with one exception. Where
 * rotary positions depend on a row's length (dynamic scaling, and LongRoPE at its original length),
 * kept keys are turned anew for the row as it is now, but what blocks behind the first made of
 * earlier tokens was made of the shorter row; the result is near that of the whole row.
 *
 * <pre>{@code
 * try (var cache = new KeyValueCache()) {
 *   Tensor first = model.nextLogits(prompts, Pass.plain(prompts.layout()).caching(cache), null);
 *   Batch next = Batch.of(…);  // one token a row
 *   Tensor second = model.nextLogits(next, Pass.plain(next.layout()).caching(cache), null);
 * }
 * }</pre>
 */
public final class KeyValueCache implements AutoCloseable {
  private List<CachedRows> groups = new ArrayList<>();
  private EncodedKeys encoded = new EncodedKeys();

  /** A cache that holds nothing yet; the first pass that carries it decides on its rows. */
  public KeyValueCache() {}

  /** The number of rows; 0 before the first pass. */
  public int rows() {
    return groups.stream().mapToInt(CachedRows::rows).sum();
  }

  /** The number of tokens that it holds of a row, with vectors that patches put in. */
  public int length(int row) {
    return group(row).tokens();
  }

  /** The bytes that its keys and values take, what rows share counted once a cache. */
  public long bytes() {
    return encoded.bytes() + groups.stream().mapToLong(CachedRows::bytes).sum();
  }

  /**
   * What it holds of a row in one block, keys of a prefix in front included. Models whose positions
   * depend on a row's length keep their keys before they are turned.
   *
   * @return [keys, key heads · size]
   */
  public Tensor keys(int block, int row) {
    return packed(block, row, KeyValues::keys);
  }

  /** The same for values, [keys, key heads · size]. */
  public Tensor values(int block, int row) {
    return packed(block, row, KeyValues::values);
  }

  private Tensor packed(int block, int row, Function<KeyValues, Tensor> which) {
    List<KeyValues> stretches = stretches(block, row);
    if (stretches.isEmpty()) {
      throw new ModelException(
          "found nothing kept of block " + block + ", expected a cache that a pass has filled");
    }
    List<Tensor> all = stretches.stream().map(which).map(kept -> Indexing.at(kept, 0, 0)).toList();
    Tensor packed = Indexing.concat(all, 1).transpose(0, 1);
    return packed.reshape(packed.size(0), packed.size(1) * packed.size(2));
  }

  /** The same where it is kept, in order, [1, key heads, tokens, size] each. */
  List<KeyValues> stretches(int block, int row) {
    CachedRows group = group(row);
    return group.ofRow(block, row - firstRow(group));
  }

  private CachedRows group(int row) {
    int left = row;
    for (CachedRows group : groups) {
      if (left >= 0 && left < group.rows()) {
        return group;
      }
      left -= group.rows();
    }
    throw new ModelException(
        "found row " + row + " of a cache, expected one of its " + rows() + " rows, from 0");
  }

  /**
   * A cache of some rows in a new order, which may repeat; this one stays as it is. A row that has
   * finished is dropped by closing this cache and going on with the others.
   */
  public KeyValueCache select(int... rows) {
    Arrays.stream(rows).forEach(this::group); // all of them, before anything is copied
    try (Scope _ = Scope.open()) {
      KeyValueCache chosen = new KeyValueCache();
      chosen.encoded = encoded.select(rows);
      int at = 0;
      while (at < rows.length) {
        CachedRows group = group(rows[at]);
        int first = firstRow(group);
        int end = at + 1;
        while (end < rows.length && group(rows[end]) == group) {
          end++;
        }
        long[] inside = Arrays.stream(rows, at, end).mapToLong(row -> (long) row - first).toArray();
        chosen.groups.add(group.copy(inside));
        at = end;
      }
      return chosen;
    }
  }

  /**
   * A cache with {@code times} continuations of each row side by side, which share all that has
   * been kept so far. This one may be used further, or closed.
   */
  public KeyValueCache fork(int times) {
    if (times < 1) {
      throw new ModelException(
          "found " + times + " continuations of each row, expected at least one");
    }
    try (Scope _ = Scope.open()) {
      KeyValueCache fork = new KeyValueCache();
      fork.encoded = encoded.fork(times);
      for (CachedRows group : groups) {
        for (int row = 0; row < group.rows(); row++) {
          fork.groups.add(group.continuations(row, times));
        }
      }
      return fork;
    }
  }

  /**
   * Forgets the last tokens of each row.
   *
   * @param lengths how many tokens of each row to keep, no more than there are
   */
  public void cut(int... lengths) {
    if (lengths.length != rows()) {
      throw new ModelException(
          "found "
              + lengths.length
              + " lengths to cut a cache to, expected one for each of its "
              + rows()
              + " rows");
    }
    for (int row = 0; row < lengths.length; row++) {
      if (lengths[row] < 0 || lengths[row] > length(row)) {
        throw new ModelException(
            "found a length of "
                + lengths[row]
                + " to cut row "
                + row
                + " of a cache to, expected 0 to "
                + length(row)
                + ", which is what it holds");
      }
    }
    try (Scope _ = Scope.open()) {
      split(row -> differ(lengths, row));
      int row = 0;
      for (CachedRows group : groups) {
        if (lengths[row] < group.tokens()) {
          group.cut(lengths[row]);
        }
        row += group.rows();
      }
    }
  }

  private int firstRow(CachedRows wanted) {
    int row = 0;
    for (CachedRows group : groups) {
      if (group == wanted) {
        return row;
      }
      row += group.rows();
    }
    throw new IllegalStateException("not a group of this cache");
  }

  /** Makes rows of one group where {@code parted} into groups of their own. */
  private void split(IntPredicate parted) {
    List<CachedRows> next = new ArrayList<>();
    int row = 0;
    for (CachedRows group : groups) {
      int end = row + group.rows();
      int from = row;
      List<CachedRows> parts = new ArrayList<>();
      for (int i = row + 1; i <= end; i++) {
        if (i == end || parted.test(i)) {
          parts.add(i - from == group.rows() ? group : group.part(from - row, i - from));
          from = i;
        }
      }
      if (parts.size() > 1) {
        group.close();
      }
      next.addAll(parts);
      row = end;
    }
    groups = next;
  }

  /**
   * Makes ready for a pass over new tokens: rows that are kept together get as many each, under the
   * same patches, and as many of them are queries in every block.
   *
   * @param wanted the only queries of the last block, or null for all
   * @throws ModelException where the pass was made for what this held earlier
   */
  void prepare(Pass pass, @Nullable Positions wanted) {
    Layout layout = pass.layout();
    check(pass);
    if (groups.isEmpty()) {
      groups.add(new CachedRows(layout.rows()));
    }
    int[] lengths = lengths(layout);
    int[] queries = wanted == null ? lengths : lengths(wanted.layout());
    int[] segments =
        IntStream.range(0, pass.segments().size())
            .flatMap(i -> IntStream.generate(() -> i).limit(pass.segments().get(i).rows()))
            .toArray();
    try (Scope _ = Scope.open()) {
      split(row -> differ(lengths, row) || differ(queries, row) || differ(segments, row));
    }
  }

  private static int[] lengths(Layout layout) {
    return IntStream.range(0, layout.rows()).map(layout::length).toArray();
  }

  private static boolean differ(int[] perRow, int row) {
    return perRow[row] != perRow[row - 1];
  }

  private void check(Pass pass) {
    int rows = pass.layout().rows();
    boolean fits = groups.isEmpty() || rows() == rows;
    for (int row = 0; row < rows && fits; row++) {
      fits = pass.past(row) == (groups.isEmpty() ? 0 : length(row));
    }
    if (!fits) {
      throw new ModelException(
          "found a pass that was made when its cache held other tokens, expected one made anew for"
              + " each step; call Pass.caching after the pass before");
    }
  }

  /** The end of the rows after {@code row} that are kept together. */
  int endOfGroup(int row) {
    CachedRows group = group(row);
    return firstRow(group) + group.rows();
  }

  /**
   * Keeps the keys and values of new tokens of the rows of one group.
   *
   * @param firstRow the first row of the group
   * @param keys [rows, key heads, new tokens, size]
   * @param values of the same shape
   * @param before how many keys in front are no tokens but a prefix; of the first pass
   * @return all keys and values so far, in order; those that the rows share come first
   */
  List<KeyValues> append(int block, int firstRow, Tensor keys, Tensor values, int before) {
    checkFrozen(keys, values);
    return group(firstRow).append(block, keys, values, before);
  }

  /**
   * Keeps the keys and values of one new token of the cache's one row, as {@link Kernel#attend}
   * reads them.
   *
   * @param keys [key heads · size]
   * @param values [key heads · size]
   * @return where all keys and values so far are
   */
  List<Kernel.Stretch> append(int block, float[] keys, float[] values, int heads) {
    return groups.getFirst().append(block, keys, values, heads);
  }

  static void checkFrozen(Tensor keys, Tensor values) {
    if (keys.requiresGradient() || values.requiresGradient()) {
      throw new ModelException(
          "found keys or values with gradients for a cache, expected none; cache in"
              + " Gradients.none(…), and train without a cache");
    }
  }

  /** The keys and values that were made of an encoder's tokens. */
  EncodedKeys encoded() {
    return encoded;
  }

  /** How many keys of a block in front of a row's tokens are a prefix. */
  int before(int block, int row) {
    return group(row).before(block);
  }

  /** Counts the tokens of a pass that is through. */
  void finish(Layout layout) {
    int row = 0;
    for (CachedRows group : groups) {
      group.grow(layout.length(row));
      row += group.rows();
    }
  }

  /** Frees the keys and values, but for what other caches share. */
  @Override
  public void close() {
    groups.forEach(CachedRows::close);
    groups = new ArrayList<>();
    encoded.close();
  }
}
