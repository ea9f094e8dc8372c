package io.trimtab.kernel;

import io.trimtab.tensor.TrimtabException;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * What a training step computes between its products, each in one pass over the memory: forward and
 * the gradient to the inputs. An operator for each step of these formulas would write what the next
 * one reads back, and in 16 bits round it.
 *
 * <p>Matrices are contiguous, row after row, F32 or BF16; all arithmetic is F32. An output may be
 * the memory of an input of the same shape. A row is computed by one thread in one order: the
 * number of threads changes no bit. Holds no state; any number of threads may share one.
 */
public final class FusedRows {
  /** Pieces to a thread, as in {@link Kernel}. */
  private static final int SHARES = 4;

  /** Elements that are worked on at a time: all arrays of a loop fit the nearest cache. */
  private static final int STRETCH = 2048;

  private final Crew crew;
  private final ArrayLanes loops;

  /** Fused passes by {@code crew}, which stays its owner's to close. */
  public FusedRows(Crew crew, Backend backend) {
    this.crew = crew;
    this.loops = backend.arrays();
  }

  /**
   * A matrix where it lies.
   *
   * @param type how a number is stored
   * @param rows how many
   * @param columns numbers a row
   * @param data {@code rows · columns} numbers, little-endian
   */
  public record Block(Rows.Type type, long rows, int columns, MemorySegment data) {
    /** Checks that the memory holds just this matrix. */
    public Block {
      if (rows < 0 || columns < 1 || data.byteSize() != rows * columns * type.bytes) {
        throw new TrimtabException(
            "found %d bytes for a matrix [%d, %d] of %s, expected the matrix's own"
                .formatted(data.byteSize(), rows, columns, type));
      }
    }

    /** Where a row starts, in bytes. */
    long at(long row) {
      return row * columns * type.bytes;
    }

    private void mustBeLike(Block other) {
      if (type != other.type || rows != other.rows || columns != other.columns) {
        throw new TrimtabException(
            "found a matrix [%d, %d] of %s beside one [%d, %d] of %s, expected the same"
                .formatted(other.rows, other.columns, other.type, rows, columns, type));
      }
    }
  }

  /** Work on rows {@code from} to {@code to}, by one thread. */
  @FunctionalInterface
  private interface Share {
    void of(long from, long to);
  }

  private void share(long rows, Share work) {
    int shares = (int) Math.min(rows, crew.threads() == 1 ? 1 : (long) crew.threads() * SHARES);
    crew.run(shares, i -> work.of(rows * i / shares, rows * (i + 1) / shares));
  }

  private void read(Block from, long row, float[] to) {
    loops.widen(from.type, from.data, from.at(row), to, 0, from.columns);
  }

  private void write(float[] from, Block to, long row) {
    loops.narrow(to.type, from, 0, to.columns, to.data, to.at(row));
  }

  private float[] only(Block weight, Block x) {
    if (weight.rows != 1 || weight.columns != x.columns || weight.type != x.type) {
      throw new TrimtabException(
          "found a weight [%d, %d] of %s for a matrix [%d, %d] of %s, expected one row like its own"
              .formatted(weight.rows, weight.columns, weight.type, x.rows, x.columns, x.type));
    }
    float[] values = new float[weight.columns];
    read(weight, 0, values);
    return values;
  }

  /** 1 / √(mean(x²) + epsilon). */
  private float inverse(float[] x, double epsilon) {
    return (float) (1 / Math.sqrt((double) loops.dot(x, x, x.length) / x.length + epsilon));
  }

  /**
   * Root-mean-square normalisation (Zhang and Sennrich, 2019, "Root Mean Square Layer
   * Normalization", equation 4): y = x / √(mean(x²) + epsilon) · weight.
   *
   * @param weight [1, columns]
   */
  public void rmsNorm(Block x, Block weight, double epsilon, Block y) {
    x.mustBeLike(y);
    float[] w = only(weight, x);
    share(
        x.rows,
        (from, to) -> {
          float[] row = new float[x.columns];
          for (long i = from; i < to; i++) {
            read(x, i, row);
            loops.scale(row, w, inverse(row, epsilon), row.length);
            write(row, y, i);
          }
        });
  }

  /**
   * Its gradient to x: with s = 1 / √(mean(x²) + epsilon) and h = g · weight, that is s h − x s³
   * mean(x h).
   *
   * @param g dL/dy
   * @param dx receives dL/dx
   */
  public void rmsNormGradient(Block x, Block weight, double epsilon, Block g, Block dx) {
    x.mustBeLike(g);
    x.mustBeLike(dx);
    float[] w = only(weight, x);
    share(
        x.rows,
        (from, to) -> {
          int n = x.columns;
          float[] row = new float[n];
          float[] gradient = new float[n];
          for (long i = from; i < to; i++) {
            read(x, i, row);
            read(g, i, gradient);
            float s = inverse(row, epsilon);
            loops.scale(gradient, w, 1, n);
            double mean = (double) loops.dot(row, gradient, n) / n;
            loops.combine(gradient, s, row, (float) (mean * s * s * s), n);
            write(gradient, dx, i);
          }
        });
  }

  /** A gated linear unit (Shazeer, 2020, section 2): y = activation(a) · b. */
  public void gate(Activation activation, Block a, Block b, Block y) {
    a.mustBeLike(b);
    a.mustBeLike(y);
    share(
        a.rows,
        (from, to) -> {
          float[] first = new float[a.columns];
          float[] second = new float[a.columns];
          for (long i = from; i < to; i++) {
            read(a, i, first);
            read(b, i, second);
            loops.gate(activation, first, second, a.columns);
            write(first, y, i);
          }
        });
  }

  /**
   * Its gradients.
   *
   * @param g dL/dy
   * @param da receives dL/da
   * @param db receives dL/db
   */
  public void gateGradient(Activation activation, Block a, Block b, Block g, Block da, Block db) {
    for (Block other : new Block[] {b, g, da, db}) {
      a.mustBeLike(other);
    }
    share(
        a.rows,
        (from, to) -> {
          float[] first = new float[a.columns];
          float[] second = new float[a.columns];
          float[] gradient = new float[a.columns];
          for (long i = from; i < to; i++) {
            read(a, i, first);
            read(b, i, second);
            read(g, i, gradient);
            loops.gateGradient(activation, first, second, gradient, a.columns);
            write(first, da, i);
            write(second, db, i);
          }
        });
  }

  /**
   * Rotary positions (Su et al., 2021, "RoFormer", section 3.2.2) of packed heads: element i of a
   * head and element i + half are a point in the plane and turned; elements from 2 half on stay.
   *
   * @param x [tokens, heads · size]
   * @param cosine [tokens, half]
   * @param sine [tokens, half]
   * @param back whether to turn the other way, as the gradient is turned
   */
  public void rotate(Block x, int heads, Block cosine, Block sine, boolean back, Block y) {
    x.mustBeLike(y);
    cosine.mustBeLike(sine);
    int size = x.columns / heads;
    int half = cosine.columns;
    if (cosine.rows != x.rows || cosine.type != x.type || 2 * half > size) {
      throw new TrimtabException(
          "found angles [%d, %d] of %s for %d heads [%d, %d] of %s, expected those of each token"
              .formatted(cosine.rows, half, cosine.type, heads, x.rows, size, x.type));
    }
    int rest = size - 2 * half;
    share(
        x.rows,
        (from, to) -> {
          float[] head = new float[size];
          float[] c = new float[half];
          float[] s = new float[half];
          for (long i = from; i < to; i++) {
            read(cosine, i, c);
            read(sine, i, s);
            for (int h = 0; h < heads; h++) {
              long at = x.at(i) + (long) h * size * x.type.bytes;
              long second = at + (long) half * x.type.bytes;
              long third = second + (long) half * x.type.bytes;
              loops.widen(x.type, x.data, at, head, 0, half);
              loops.widen(x.type, x.data, second, head, half, half);
              loops.rotate(head, c, s, back ? -1 : 1, half);
              loops.narrow(x.type, head, 0, half, y.data, at);
              loops.narrow(x.type, head, half, half, y.data, second);
              if (rest > 0) {
                MemorySegment.copy(x.data, third, y.data, third, (long) rest * x.type.bytes);
              }
            }
          }
        });
  }

  /**
   * The softmax of scaled scores where query i sees keys 0 to i of as many: the rows are those of
   * queries 0, 1, … {@code columns} − 1, and then again. What is not seen is 0.
   *
   * @param scores [any number of times queries, keys]
   * @param weights of the same shape
   */
  public void causalSoftmax(Block scores, double scale, Block weights) {
    scores.mustBeLike(weights);
    int n = scores.columns;
    float factor = (float) scale;
    share(
        scores.rows,
        (from, to) -> {
          float[] row = new float[n];
          for (long i = from; i < to; i++) {
            int seen = (int) (i % n) + 1;
            loops.widen(scores.type, scores.data, scores.at(i), row, 0, seen);
            float shift = loops.largest(row, seen) * factor;
            float sum = loops.exp(row, factor, shift, seen);
            loops.scale(row, 1 / sum, seen);
            loops.narrow(weights.type, row, 0, seen, weights.data, weights.at(i));
            long end = weights.at(i) + (long) seen * weights.type.bytes;
            weights.data.asSlice(end, weights.at(i + 1) - end).fill((byte) 0);
          }
        });
  }

  /**
   * Its gradient: scale · p (g − Σ p g).
   *
   * @param weights p, what {@link #causalSoftmax} gave
   * @param g dL/dp; what it is where nothing is seen does not matter
   * @param ds receives dL/ds, 0 where nothing is seen
   */
  public void causalSoftmaxGradient(Block weights, Block g, double scale, Block ds) {
    weights.mustBeLike(g);
    weights.mustBeLike(ds);
    int n = weights.columns;
    share(
        weights.rows,
        (from, to) -> {
          float[] p = new float[n];
          float[] gradient = new float[n];
          for (long i = from; i < to; i++) {
            int seen = (int) (i % n) + 1;
            loops.widen(weights.type, weights.data, weights.at(i), p, 0, seen);
            loops.widen(g.type, g.data, g.at(i), gradient, 0, seen);
            float sum = loops.dot(p, gradient, seen);
            loops.softmaxGradient(gradient, p, sum, (float) scale, seen);
            loops.narrow(ds.type, gradient, 0, seen, ds.data, ds.at(i));
            long end = ds.at(i) + (long) seen * ds.type.bytes;
            ds.data.asSlice(end, ds.at(i + 1) - end).fill((byte) 0);
          }
        });
  }

  /**
   * The logarithm of Σ exp of each row.
   *
   * @param logits [rows, classes]
   * @return [rows]
   */
  public double[] logSumExp(Block logits) {
    double[] results = new double[Math.toIntExact(logits.rows)];
    share(
        logits.rows,
        (from, to) -> {
          float[] part = new float[Math.min(STRETCH, logits.columns)];
          for (long i = from; i < to; i++) {
            float most = Float.NEGATIVE_INFINITY;
            for (int start = 0; start < logits.columns; start += STRETCH) {
              most = Math.max(most, loops.largest(part, stretch(logits, i, start, part)));
            }
            double sum = 0;
            for (int start = 0; start < logits.columns; start += STRETCH) {
              sum += loops.exp(part, 1, most, stretch(logits, i, start, part));
            }
            results[(int) i] = most + Math.log(sum);
          }
        });
    return results;
  }

  private int stretch(Block from, long row, int start, float[] to) {
    int n = Math.min(STRETCH, from.columns - start);
    loops.widen(from.type, from.data, from.at(row) + (long) start * from.type.bytes, to, 0, n);
    return n;
  }

  /**
   * The gradient of {@code factor} · Σ rows' cross-entropy: factor · (softmax − 1 at the class).
   *
   * @param logits [rows, classes]
   * @param logSums what {@link #logSumExp} gave
   * @param classes the class of each row
   * @param gradient receives it; may be the logits' own memory
   */
  public void crossEntropyGradient(
      Block logits, double[] logSums, long[] classes, double factor, Block gradient) {
    logits.mustBeLike(gradient);
    share(
        logits.rows,
        (from, to) -> {
          float[] part = new float[Math.min(STRETCH, logits.columns)];
          float[] one = new float[1];
          for (long i = from; i < to; i++) {
            int row = (int) i;
            long at = classes[row] * logits.type.bytes;
            loops.widen(logits.type, logits.data, logits.at(i) + at, one, 0, 1);
            for (int start = 0; start < logits.columns; start += STRETCH) {
              int n = stretch(logits, i, start, part);
              loops.exp(part, 1, (float) logSums[row], n);
              loops.scale(part, (float) factor, n);
              long where = gradient.at(i) + (long) start * gradient.type.bytes;
              loops.narrow(gradient.type, part, 0, n, gradient.data, where);
            }
            double p = Math.exp(one[0] - logSums[row]);
            Arrays.fill(one, (float) (factor * (p - 1)));
            loops.narrow(gradient.type, one, 0, 1, gradient.data, gradient.at(i) + at);
          }
        });
  }

  /**
   * Numbers of a matrix, one a row.
   *
   * @param columns which, one a row
   */
  public double[] pick(Block matrix, long[] columns) {
    double[] found = new double[columns.length];
    float[] one = new float[1];
    for (int i = 0; i < found.length; i++) {
      long at = matrix.at(i) + columns[i] * matrix.type.bytes;
      loops.widen(matrix.type, matrix.data, at, one, 0, 1);
      found[i] = one[0];
    }
    return found;
  }
}
