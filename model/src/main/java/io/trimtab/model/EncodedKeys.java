package io.trimtab.model;

import io.trimtab.tensor.Creation;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * The keys and values that a decoder's blocks made of an encoder's tokens: they are the same in
 * every step. Continuations of a row share that row's.
 */
final class EncodedKeys {
  /**
   * Keys and values of one block, packed.
   *
   * @param keys [tokens of all encoded rows, key heads · size]
   * @param values of the same shape
   * @param layout how the encoded rows lie
   * @param rows which of them each row of the decoder reads
   */
  record Kept(Tensor keys, Tensor values, Layout layout, List<Integer> rows) {
    /** Where each row reads the encoded row of the same number. */
    static Kept rowByRow(Tensor keys, Tensor values, Layout layout) {
      return new Kept(keys, values, layout, IntStream.range(0, layout.rows()).boxed().toList());
    }

    private Kept select(int[] chosen) {
      List<Integer> sources = IntStream.of(chosen).map(rows::get).distinct().boxed().toList();
      long[] tokens =
          sources.stream()
              .flatMapToLong(row -> LongStream.range(layout.start(row), layout.start(row + 1)))
              .toArray();
      Tensor at = Creation.longs(tokens, tokens.length).to(keys.device());
      return new Kept(
          Indexing.select(keys, 0, at).held(),
          Indexing.select(values, 0, at).held(),
          Layout.ofLengths(sources.stream().mapToInt(layout::length).toArray()),
          IntStream.of(chosen).mapToObj(row -> sources.indexOf(rows.get(row))).toList());
    }

    private Kept fork(int times) {
      List<Integer> each = new ArrayList<>();
      rows.forEach(row -> each.addAll(java.util.Collections.nCopies(times, row)));
      return new Kept(
          Indexing.slice(keys, 0, 0, keys.size(0)).held(),
          Indexing.slice(values, 0, 0, values.size(0)).held(),
          layout,
          List.copyOf(each));
    }

    private void close() {
      keys.close();
      values.close();
    }
  }

  private final Map<Integer, Kept> blocks = new HashMap<>();

  /** What is kept of a block, or null. */
  @Nullable Kept of(int block) {
    return blocks.get(block);
  }

  /** Keeps what a block made, in the place of what a pass that failed has left. */
  void keep(int block, Kept made) {
    KeyValueCache.checkFrozen(made.keys(), made.values());
    Kept old =
        blocks.put(
            block,
            new Kept(
                made.keys().copy().held(),
                made.values().copy().held(),
                made.layout(),
                made.rows()));
    if (old != null) {
      old.close();
    }
  }

  EncodedKeys select(int... rows) {
    EncodedKeys chosen = new EncodedKeys();
    blocks.forEach((block, kept) -> chosen.blocks.put(block, kept.select(rows)));
    return chosen;
  }

  EncodedKeys fork(int times) {
    EncodedKeys fork = new EncodedKeys();
    blocks.forEach((block, kept) -> fork.blocks.put(block, kept.fork(times)));
    return fork;
  }

  long bytes() {
    return blocks.values().stream()
        .mapToLong(kept -> kept.keys().byteSize() + kept.values().byteSize())
        .sum();
  }

  void close() {
    blocks.values().forEach(Kept::close);
    blocks.clear();
  }
}
