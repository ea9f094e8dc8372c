package io.trimtab.kernel;

import io.trimtab.tensor.TrimtabException;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * Products of a single row with frozen matrices, and what else a decode step computes over a row.
 * All arrays are F32. Every output is one sum in one order and computed by one thread: the number
 * of threads changes no bit.
 *
 * <p>Holds no state of its own; any number of threads may share one.
 */
public final class Kernel {
  /** Pieces to a thread: enough that one which lost its core for a while has few left over. */
  private static final int SHARES = 4;

  /** Below so many positions times heads, waking others costs more than it spares. */
  private static final int ATTENTION_ALONE = 256;

  private final Crew crew;
  private final Backend backend;
  private final Lanes lanes;

  /** A kernel that works on {@code crew}, which stays its owner's to close. */
  public Kernel(Crew crew, Backend backend) {
    this.crew = crew;
    this.backend = backend;
    this.lanes = backend.lanes();
  }

  /** What the inner loops run on. */
  public Backend backend() {
    return backend;
  }

  /** The threads at work. */
  public Crew crew() {
    return crew;
  }

  /**
   * y = W x.
   *
   * @param x {@code [in]}
   * @return {@code [out]}
   */
  public float[] product(Matrix weights, float[] x) {
    return products(List.of(weights), x).getFirst();
  }

  /**
   * Several products of one input in one go, such as queries, keys and values, or gate and up: one
   * preparation of the input and one meeting of the threads instead of several.
   *
   * @param x {@code [in]}
   * @return one {@code [out]} for each matrix
   */
  public List<float[]> products(List<Matrix> weights, float[] x) {
    Input input = Input.of(x, x.length);
    int total = 0;
    for (Matrix matrix : weights) {
      if (matrix.columns() != x.length) {
        throw new TrimtabException(
            "found an input of %d numbers for %s, expected one for each of its columns"
                .formatted(x.length, matrix));
      }
      input.prepare(matrix);
      total += matrix.pieces();
    }
    List<float[]> outputs = weights.stream().map(matrix -> new float[matrix.rows()]).toList();
    int all = total;
    int shares = Math.min(all, crew.threads() == 1 ? 1 : crew.threads() * SHARES);
    crew.run(
        shares,
        share -> {
          int from = (int) ((long) all * share / shares);
          int to = (int) ((long) all * (share + 1) / shares);
          pieces(weights, input, outputs, from, to);
        });
    return outputs;
  }

  private void pieces(List<Matrix> weights, Input input, List<float[]> outputs, int from, int to) {
    int first = 0;
    for (int i = 0; i < weights.size(); i++) {
      Matrix matrix = weights.get(i);
      int last = Math.min(to, first + matrix.pieces());
      for (int piece = Math.max(from, first); piece < last; piece++) {
        switch (matrix) {
          case Panels panels -> lanes.panel(panels, piece - first, input, outputs.get(i));
          case Rows rows ->
              lanes.rows(rows, (piece - first) * Rows.TOGETHER, input, outputs.get(i));
        }
      }
      first += matrix.pieces();
    }
  }

  /** Every element of x becomes what the activation makes of it. */
  public void activate(Activation activation, float[] x) {
    lanes.activate(activation, x, x.length);
  }

  /**
   * Keys and values of some positions, F32, where they are.
   *
   * @param keys {@code [heads, positions, size]}; a head's positions follow each other
   * @param values of the same shape
   * @param keyStride bytes from one head's keys to the next one's
   * @param valueStride the same for values
   * @param positions how many
   */
  public record Stretch(
      MemorySegment keys, MemorySegment values, long keyStride, long valueStride, int positions) {}

  /**
   * How scores become weights.
   *
   * @param heads of the queries, a multiple of {@code keyHeads}
   * @param keyHeads of keys and values
   * @param scale that scores are multiplied by
   * @param cap that scores are bent to by tanh; 0 for none
   */
  public record Form(int heads, int keyHeads, float scale, float cap) {}

  /**
   * Attention of one token to positions [from, …) of those in the stretches: for each head h, out_h
   * = softmax(q_h Kᵀ · scale) V with the keys and values of head h · keyHeads / heads.
   *
   * @param query {@code [heads, size]}
   * @param from the first position that the token sees
   * @return {@code [heads, size]}
   */
  public float[] attend(float[] query, List<Stretch> stretches, int from, Form form) {
    int positions = stretches.stream().mapToInt(Stretch::positions).sum();
    int seen = positions - from;
    if (seen < 1 || query.length % form.heads() != 0 || form.heads() % form.keyHeads() != 0) {
      throw new TrimtabException(
          "found %d positions, queries of %d and %d over %d heads, expected one position at least"
                  .formatted(seen, query.length, form.heads(), form.keyHeads())
              + " and whole heads");
    }
    float[] out = new float[query.length];
    float[] scores = new float[form.heads() * seen];
    if (seen * form.heads() < ATTENTION_ALONE) {
      for (int head = 0; head < form.heads(); head++) {
        attend(head, query, stretches, from, form, scores, seen, out);
      }
    } else {
      crew.run(form.heads(), head -> attend(head, query, stretches, from, form, scores, seen, out));
    }
    return out;
  }

  private void attend(
      int head,
      float[] query,
      List<Stretch> stretches,
      int from,
      Form form,
      float[] scores,
      int seen,
      float[] out) {
    int size = query.length / form.heads();
    int of = head * form.keyHeads() / form.heads();
    int start = head * seen;
    int at = start;
    int skip = from;
    for (Stretch stretch : stretches) {
      int first = Math.min(skip, stretch.positions());
      int n = stretch.positions() - first;
      long key = of * stretch.keyStride() + (long) first * size * Float.BYTES;
      lanes.scores(query, head * size, size, stretch.keys(), key, n, form.scale(), scores, at);
      at += n;
      skip -= first;
    }
    if (form.cap() != 0) {
      for (int i = start; i < at; i++) {
        scores[i] = (float) Math.tanh(scores[i] / form.cap()) * form.cap();
      }
    }
    lanes.exp(scores, start, at, RowMath.largest(scores, start, at));
    RowMath.scale(scores, start, at, 1 / RowMath.sum(scores, start, at));
    at = start;
    skip = from;
    for (Stretch stretch : stretches) {
      int first = Math.min(skip, stretch.positions());
      int n = stretch.positions() - first;
      long value = of * stretch.valueStride() + (long) first * size * Float.BYTES;
      lanes.mix(scores, at, n, stretch.values(), value, size, out, head * size);
      at += n;
      skip -= first;
    }
  }
}
