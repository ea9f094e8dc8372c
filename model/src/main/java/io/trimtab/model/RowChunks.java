package io.trimtab.model;

import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Engine;
import io.trimtab.tensor.Gradients;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.LinearAlgebra;
import io.trimtab.tensor.Neural;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Short rows laid side by side in chunks of one size, each row seeing itself alone: attention over
 * rows of many lengths is then a few large products instead of many small ones. What is computed in
 * vain between the rows of a chunk costs less than that where a processor multiplies small numbers
 * fast.
 */
@SuppressWarnings("ArrayRecordComponent") // made once, shared within this package, never compared
record RowChunks(int size, int count, long[] from, long[] back, Tensor mask) {
  private static final int SMALLEST = 128;
  private static final int LONGEST_ROW = 256;
  private static final int FEWEST_RUNS = 4;

  private record Key(Layout layout, DType dtype) {}

  /**
   * The chunks of the rows of a use, or null where they would not pay: they do in 16 bits on the
   * CPU, whose fused kernel has a slow gradient, and without a matrix unit is slow altogether.
   */
  static @Nullable RowChunks of(
      Tensor query, Tensor key, Attention.Form form, Attention.Use use, int runs) {
    Layout layout = use.pass().layout();
    boolean plain =
        use.bias().equals(Attention.Bias.NONE)
            && use.wanted() == null
            && use.turning() == null
            && use.prefixes().areNone()
            && use.pass().cache().isEmpty()
            && form.heads() == form.keyHeads()
            && !form.causal()
            && form.window() == 0
            && form.scoreCap() == 0;
    boolean pays =
        query.dtype() == DType.BF16
            && query.device().kind() == Device.Kind.CPU
            && (!Engine.hasMatrixUnit() || query.requiresGradient() || key.requiresGradient())
            && runs >= FEWEST_RUNS
            && IntStream.range(0, layout.rows()).allMatch(r -> layout.length(r) <= LONGEST_ROW);
    return plain && pays
        ? use.pass()
            .shared(
                new Key(layout, query.dtype()),
                common -> plan(layout, query.dtype(), query.device(), common))
        : null;
  }

  /** Rows laid out: each in a chunk that holds it whole, long ones first. */
  static RowChunks plan(Layout layout, DType dtype, Device device, Common common) {
    int longest = IntStream.range(0, layout.rows()).map(layout::length).max().orElse(0);
    int size = Math.max(SMALLEST, (longest + 31) / 32 * 32);
    List<List<Integer>> chunks = new ArrayList<>();
    List<Integer> filled = new ArrayList<>();
    List<Integer> longestFirst =
        IntStream.range(0, layout.rows())
            .boxed()
            .sorted(Comparator.comparingInt((Integer row) -> -layout.length(row)))
            .toList();
    for (int row : longestFirst) {
      int chunk = 0;
      while (chunk < filled.size() && filled.get(chunk) + layout.length(row) > size) {
        chunk++;
      }
      if (chunk == filled.size()) {
        chunks.add(new ArrayList<>());
        filled.add(0);
      }
      chunks.get(chunk).add(row);
      filled.set(chunk, filled.get(chunk) + layout.length(row));
    }
    long[] from = new long[chunks.size() * size];
    long[] back = new long[layout.tokens()];
    float[] mask = new float[chunks.size() * size * size];
    Arrays.fill(mask, Float.NEGATIVE_INFINITY);
    for (int chunk = 0; chunk < chunks.size(); chunk++) {
      int at = 0;
      for (int row : chunks.get(chunk)) {
        int length = layout.length(row);
        for (int i = 0; i < length; i++) {
          from[chunk * size + at + i] = layout.start(row) + (long) i;
          back[layout.start(row) + i] = (long) chunk * size + (at + i);
        }
        see(mask, chunk * size, size, at, length);
        at += length;
      }
      // Places that are left over see one another, for a softmax over nothing is not a number.
      see(mask, chunk * size, size, at, size - at);
    }
    Tensor seen =
        common.hold(Creation.floats(mask, chunks.size(), 1, size, size).to(dtype).to(device));
    return new RowChunks(size, chunks.size(), from, back, seen);
  }

  private static void see(float[] mask, int chunkStart, int size, int at, int length) {
    for (int i = at; i < at + length; i++) {
      int start = (chunkStart + i) * size;
      Arrays.fill(mask, start + at, start + at + length, 0);
    }
  }

  /** Attention of packed queries, keys and values [tokens, heads · size each]. */
  Tensor attend(Tensor query, Tensor key, Tensor value, Attention.Form form) {
    Tensor q = heads(Arithmetic.multiply(query, form.scale()), form.heads());
    Tensor k = heads(key, form.heads());
    Tensor v = heads(value, form.heads());
    Tensor scores = Arithmetic.add(LinearAlgebra.matmul(q, k.transpose(2, 3)), mask);
    Tensor mixed = LinearAlgebra.matmul(Neural.softmax(scores, 3), v);
    Tensor rows = mixed.transpose(1, 2).reshape((long) count * size, query.size(1));
    return exchange(rows, back, from);
  }

  /** [tokens, heads · n] to [chunks, heads, size, n]. */
  private Tensor heads(Tensor packed, int heads) {
    return exchange(packed, from, back)
        .reshape(count, size, heads, packed.size(1) / heads)
        .transpose(1, 2);
  }

  /**
   * Chosen rows of a matrix, with the gradient chosen by the way back. That is the true one because
   * what is at places left over reaches no token, nor any gradient from there.
   */
  private static Tensor exchange(Tensor rows, long[] there, long[] again) {
    return Gradients.custom(
        rows,
        x -> Indexing.select(x, 0, Creation.longs(there, there.length).to(x.device())),
        g -> Indexing.select(g, 0, Creation.longs(again, again.length).to(g.device())));
  }
}
