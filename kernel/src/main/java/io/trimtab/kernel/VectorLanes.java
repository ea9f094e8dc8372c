package io.trimtab.kernel;

import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * The inner loops by the Vector API. The compiler stops to inline once a method has grown to some
 * thousands of nodes, and a vector that crosses a call is an object on the heap, ten times slower:
 * hence loops of few operations, masks without shifts, and no more accumulators than needed.
 */
final class VectorLanes implements Lanes {
  static final VectorSpecies<Float> F = species();
  static final VectorSpecies<Integer> I = F.withLanes(int.class);
  private static final int LANES = F.length();
  private static final int BYTES = F.vectorByteSize();

  /** The exponents of an f16 and of an F32 start 112 apart. */
  private static final float HALF_BIAS = 0x1p112f;

  private static final int HALF_BITS = 0x8FFFE000;

  /** Panels are as wide as the widest of these; a narrower vector takes a panel in parts. */
  private static VectorSpecies<Float> species() {
    return FloatVector.SPECIES_PREFERRED.length() > Panels.ROWS
        ? VectorSpecies.of(float.class, VectorShape.S_512_BIT)
        : FloatVector.SPECIES_PREFERRED;
  }

  static int bits() {
    return F.vectorBitSize();
  }

  @Override
  public void panel(Panels w, int panel, Input input, float[] y) {
    int to = panel * Panels.ROWS;
    int left = Math.min(Panels.ROWS, w.rows() - to);
    boolean whole = left == Panels.ROWS;
    float[] out = whole ? y : new float[Panels.ROWS];
    int at = whole ? to : 0;
    for (int part = 0; part < left; part += LANES) {
      long data = w.at(panel) + (long) part * Integer.BYTES;
      if (w.layout().nibbles) {
        nibbles(w, data, input, out, at + part);
      } else {
        bytes(w, data, input.x(), out, at + part);
      }
    }
    if (!whole) {
      System.arraycopy(out, 0, y, to, left);
    }
  }

  /**
   * For each 32 columns d Σ q x + m Σ x. A 4-bit q is masked where it lies, at bit 4 j, and
   * converted: that is q · 16^j, and x was divided by 16^j before. Three instructions to sixteen
   * weights.
   */
  private static void nibbles(Panels w, long first, Input input, float[] y, int to) {
    MemorySegment data = w.data();
    float[] x = input.nibbles();
    float[] sums = input.sums();
    boolean half = w.layout() == Panels.Layout.NIBBLES_HALF;
    int scales = w.layout().scales;
    IntVector m0 = IntVector.broadcast(I, 0xF);
    IntVector m1 = IntVector.broadcast(I, 0xF0);
    IntVector m2 = IntVector.broadcast(I, 0xF00);
    IntVector m3 = IntVector.broadcast(I, 0xF000);
    FloatVector even = FloatVector.zero(F);
    FloatVector odd = FloatVector.zero(F);
    int words = w.columns() / 8;
    for (int i = 0; i < words; i++) {
      long at = first + (long) (i + (i / 4 + 1) * scales) * Panels.LINE;
      IntVector word = IntVector.fromMemorySegment(I, data, at, LITTLE_ENDIAN);
      even =
          ((FloatVector) word.and(m0).convert(I2F, 0))
              .fma(FloatVector.broadcast(F, x[8 * i + 0]), even);
      odd =
          ((FloatVector) word.and(m1).convert(I2F, 0))
              .fma(FloatVector.broadcast(F, x[8 * i + 1]), odd);
      even =
          ((FloatVector) word.and(m2).convert(I2F, 0))
              .fma(FloatVector.broadcast(F, x[8 * i + 2]), even);
      odd =
          ((FloatVector) word.and(m3).convert(I2F, 0))
              .fma(FloatVector.broadcast(F, x[8 * i + 3]), odd);
      word = word.lanewise(LSHR, 16);
      even =
          ((FloatVector) word.and(m0).convert(I2F, 0))
              .fma(FloatVector.broadcast(F, x[8 * i + 4]), even);
      odd =
          ((FloatVector) word.and(m1).convert(I2F, 0))
              .fma(FloatVector.broadcast(F, x[8 * i + 5]), odd);
      even =
          ((FloatVector) word.and(m2).convert(I2F, 0))
              .fma(FloatVector.broadcast(F, x[8 * i + 6]), even);
      odd =
          ((FloatVector) word.and(m3).convert(I2F, 0))
              .fma(FloatVector.broadcast(F, x[8 * i + 7]), odd);
      if (i % 4 == 3) {
        long scale = at - (long) (3 + scales) * Panels.LINE;
        even = even.add(odd);
        FloatVector before = FloatVector.fromArray(F, y, to);
        FloatVector sum = FloatVector.broadcast(F, sums[i / 4]);
        if (half) {
          IntVector both = IntVector.fromMemorySegment(I, data, scale, LITTLE_ENDIAN);
          before =
              both.lanewise(LSHL, 16)
                  .lanewise(ASHR, 3)
                  .and(HALF_BITS)
                  .reinterpretAsFloats()
                  .mul(HALF_BIAS)
                  .fma(even, before);
          both.lanewise(ASHR, 3)
              .and(HALF_BITS)
              .reinterpretAsFloats()
              .mul(HALF_BIAS)
              .fma(sum, before)
              .intoArray(y, to);
        } else {
          before = FloatVector.fromMemorySegment(F, data, scale, LITTLE_ENDIAN).fma(even, before);
          FloatVector.fromMemorySegment(F, data, scale + Panels.LINE, LITTLE_ENDIAN)
              .fma(sum, before)
              .intoArray(y, to);
        }
        even = FloatVector.zero(F);
        odd = FloatVector.zero(F);
      }
    }
  }

  private static void bytes(Panels w, long first, float[] x, float[] y, int to) {
    MemorySegment data = w.data();
    int shift = Integer.numberOfTrailingZeros(w.layout().words);
    int last = w.layout().words - 1;
    FloatVector even = FloatVector.zero(F);
    FloatVector odd = FloatVector.zero(F);
    int words = w.columns() / Integer.BYTES;
    for (int i = 0; i < words; i++) {
      long at = first + (long) (i + (i >> shift) + 1) * Panels.LINE;
      IntVector four = IntVector.fromMemorySegment(I, data, at, LITTLE_ENDIAN);
      even =
          ((FloatVector) four.lanewise(LSHL, 24).lanewise(ASHR, 24).convert(I2F, 0))
              .fma(FloatVector.broadcast(F, x[4 * i]), even);
      odd =
          ((FloatVector) four.lanewise(LSHL, 16).lanewise(ASHR, 24).convert(I2F, 0))
              .fma(FloatVector.broadcast(F, x[4 * i + 1]), odd);
      even =
          ((FloatVector) four.lanewise(LSHL, 8).lanewise(ASHR, 24).convert(I2F, 0))
              .fma(FloatVector.broadcast(F, x[4 * i + 2]), even);
      odd =
          ((FloatVector) four.lanewise(ASHR, 24).convert(I2F, 0))
              .fma(FloatVector.broadcast(F, x[4 * i + 3]), odd);
      if ((i & last) == last) {
        long scale = at - (long) (last + 1) * Panels.LINE;
        FloatVector.fromMemorySegment(F, data, scale, LITTLE_ENDIAN)
            .fma(even.add(odd), FloatVector.fromArray(F, y, to))
            .intoArray(y, to);
        even = FloatVector.zero(F);
        odd = FloatVector.zero(F);
      }
    }
  }

  private static FloatVector floats(MemorySegment data, long at) {
    return FloatVector.fromMemorySegment(F, data, at, LITTLE_ENDIAN);
  }

  private static IntVector words(MemorySegment data, long at) {
    return IntVector.fromMemorySegment(I, data, at, LITTLE_ENDIAN);
  }

  private static FloatVector all(float value) {
    return FloatVector.broadcast(F, value);
  }

  @Override
  public void rows(Rows w, int first, Input input, float[] y) {
    int last = Math.min(first + Rows.TOGETHER, w.rows());
    if (last - first < Rows.TOGETHER) {
      for (int row = first; row < last; row++) {
        y[row] = w.type() == Rows.Type.F32 ? single(w, row, input) : brain(w, row, input);
      }
    } else if (w.type() == Rows.Type.F32) {
      fourSingles(w, first, input.x(), y);
    } else {
      fourBrains(w, first, input.evenOdd(), y);
    }
  }

  private static void fourSingles(Rows w, int first, float[] x, float[] y) {
    MemorySegment data = w.data();
    long at = w.at(first);
    long stride = w.at(1);
    FloatVector a = FloatVector.zero(F);
    FloatVector b = FloatVector.zero(F);
    FloatVector c = FloatVector.zero(F);
    FloatVector d = FloatVector.zero(F);
    int k = 0;
    for (; k <= w.columns() - LANES; k += LANES, at += BYTES) {
      FloatVector in = FloatVector.fromArray(F, x, k);
      a = floats(data, at).fma(in, a);
      b = floats(data, at + stride).fma(in, b);
      c = floats(data, at + 2 * stride).fma(in, c);
      d = floats(data, at + 3 * stride).fma(in, d);
    }
    y[first] = a.reduceLanes(VectorOperators.ADD) + rest(w, first, k, x);
    y[first + 1] = b.reduceLanes(VectorOperators.ADD) + rest(w, first + 1, k, x);
    y[first + 2] = c.reduceLanes(VectorOperators.ADD) + rest(w, first + 2, k, x);
    y[first + 3] = d.reduceLanes(VectorOperators.ADD) + rest(w, first + 3, k, x);
  }

  private static float single(Rows w, int row, Input input) {
    MemorySegment data = w.data();
    float[] x = input.x();
    long at = w.at(row);
    FloatVector a = FloatVector.zero(F);
    int k = 0;
    for (; k <= w.columns() - LANES; k += LANES, at += BYTES) {
      a = floats(data, at).fma(FloatVector.fromArray(F, x, k), a);
    }
    return a.reduceLanes(VectorOperators.ADD) + rest(w, row, k, x);
  }

  /** Two columns a word: the even ones in the lower half, the odd ones in the upper. */
  private static void fourBrains(Rows w, int first, float[] x, float[] y) {
    MemorySegment data = w.data();
    long at = w.at(first);
    long stride = w.at(1);
    int half = x.length / 2;
    FloatVector a = FloatVector.zero(F);
    FloatVector b = FloatVector.zero(F);
    FloatVector c = FloatVector.zero(F);
    FloatVector d = FloatVector.zero(F);
    int k = 0;
    for (; k <= w.columns() - 2 * LANES; k += 2 * LANES, at += BYTES) {
      FloatVector even = FloatVector.fromArray(F, x, k / 2);
      FloatVector odd = FloatVector.fromArray(F, x, half + k / 2);
      IntVector pair = words(data, at);
      a = lowerBrain(pair).fma(even, upperBrain(pair).fma(odd, a));
      pair = words(data, at + stride);
      b = lowerBrain(pair).fma(even, upperBrain(pair).fma(odd, b));
      pair = words(data, at + 2 * stride);
      c = lowerBrain(pair).fma(even, upperBrain(pair).fma(odd, c));
      pair = words(data, at + 3 * stride);
      d = lowerBrain(pair).fma(even, upperBrain(pair).fma(odd, d));
    }
    y[first] = a.reduceLanes(VectorOperators.ADD) + restOfBrains(w, first, k, x);
    y[first + 1] = b.reduceLanes(VectorOperators.ADD) + restOfBrains(w, first + 1, k, x);
    y[first + 2] = c.reduceLanes(VectorOperators.ADD) + restOfBrains(w, first + 2, k, x);
    y[first + 3] = d.reduceLanes(VectorOperators.ADD) + restOfBrains(w, first + 3, k, x);
  }

  private static float brain(Rows w, int row, Input input) {
    return restOfBrains(w, row, 0, input.evenOdd());
  }

  private static FloatVector lowerBrain(IntVector pair) {
    return pair.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
  }

  private static FloatVector upperBrain(IntVector pair) {
    return pair.and(0xFFFF0000).reinterpretAsFloats();
  }

  private static float rest(Rows w, int row, int from, float[] x) {
    float sum = 0;
    for (int k = from; k < w.columns(); k++) {
      sum = Math.fma(ScalarLanes.weight(w, row, k), x[k], sum);
    }
    return sum;
  }

  private static float restOfBrains(Rows w, int row, int from, float[] evenOdd) {
    float sum = 0;
    int half = evenOdd.length / 2;
    for (int k = from; k < w.columns(); k++) {
      float in = evenOdd[(k & 1) * half + k / 2];
      sum = Math.fma(ScalarLanes.weight(w, row, k), in, sum);
    }
    return sum;
  }

  @Override
  public void activate(Activation activation, float[] x, int n) {
    int whole = F.loopBound(n);
    switch (activation) {
      case SILU -> silu(x, whole);
      case GELU_TANH -> geluTanh(x, whole);
      case RELU -> relu(x, whole);
    }
    for (int i = whole; i < n; i++) {
      x[i] = ScalarLanes.activate(activation, x[i]);
    }
  }

  private static void silu(float[] x, int end) {
    for (int i = 0; i < end; i += LANES) {
      FloatVector in = FloatVector.fromArray(F, x, i);
      in.div(exp(in.neg()).add(1f)).intoArray(x, i);
    }
  }

  private static void geluTanh(float[] x, int end) {
    for (int i = 0; i < end; i += LANES) {
      FloatVector in = FloatVector.fromArray(F, x, i);
      FloatVector inner = in.mul(in).mul(in).mul(Activation.GELU_CUBE).add(in);
      in.div(exp(inner.mul(-Activation.GELU_SLOPE)).add(1f)).intoArray(x, i);
    }
  }

  private static void relu(float[] x, int end) {
    for (int i = 0; i < end; i += LANES) {
      FloatVector.fromArray(F, x, i).max(0f).intoArray(x, i);
    }
  }

  @Override
  public void exp(float[] x, int from, int to, float shift) {
    int whole = from + F.loopBound(to - from);
    for (int i = from; i < whole; i += LANES) {
      exp(FloatVector.fromArray(F, x, i).sub(shift)).intoArray(x, i);
    }
    for (int i = whole; i < to; i++) {
      x[i] = Exp.of(x[i] - shift);
    }
  }

  static FloatVector exp(FloatVector x) {
    FloatVector cut = x.max(Exp.LOWEST).min(Exp.HIGHEST);
    FloatVector shifted = cut.fma(Exp.LOG2_E, Exp.MAGIC);
    FloatVector n = shifted.sub(Exp.MAGIC);
    FloatVector r = cut.sub(n.mul(Exp.LN2_HIGH)).sub(n.mul(Exp.LN2_LOW));
    FloatVector p = r.fma(Exp.TERM_7, Exp.TERM_6);
    p = p.mul(r).add(Exp.TERM_5);
    p = p.mul(r).add(Exp.TERM_4);
    p = p.mul(r).add(Exp.TERM_3);
    p = p.mul(r).add(0.5f);
    p = p.mul(r).add(1f);
    p = p.mul(r).add(1f);
    IntVector exponent = shifted.reinterpretAsInts().lanewise(LSHL, 23);
    return p.reinterpretAsInts().add(exponent).reinterpretAsFloats();
  }

  @Override
  public void scores(
      float[] q,
      int qAt,
      int size,
      MemorySegment keys,
      long keysAt,
      int n,
      float scale,
      float[] to,
      int at) {
    if (size % LANES != 0) {
      ScalarLanes.dots(q, qAt, size, keys, keysAt, n, scale, to, at);
      return;
    }
    for (int p = 0; p < n; p++) {
      long key = keysAt + (long) p * size * Float.BYTES;
      FloatVector sum = floats(keys, key).mul(FloatVector.fromArray(F, q, qAt));
      for (int d = LANES; d < size; d += LANES) {
        sum = floats(keys, key + 4L * d).fma(FloatVector.fromArray(F, q, qAt + d), sum);
      }
      to[at + p] = sum.reduceLanes(VectorOperators.ADD) * scale;
    }
  }

  @Override
  public void mix(
      float[] weights,
      int first,
      int n,
      MemorySegment values,
      long valuesAt,
      int size,
      float[] out,
      int at) {
    if (size % LANES != 0) {
      ScalarLanes.weighted(weights, first, n, values, valuesAt, size, out, at);
      return;
    }
    long stride = (long) size * Float.BYTES;
    int d = 0;
    for (; d <= size - 4 * LANES; d += 4 * LANES) {
      fourVectors(weights, first, n, values, valuesAt + 4L * d, stride, out, at + d);
    }
    for (; d < size; d += LANES) {
      oneVector(weights, first, n, values, valuesAt + 4L * d, stride, out, at + d);
    }
  }

  private static void oneVector(
      float[] weights,
      int first,
      int n,
      MemorySegment values,
      long from,
      long stride,
      float[] out,
      int at) {
    FloatVector sum = FloatVector.fromArray(F, out, at);
    for (int p = 0; p < n; p++) {
      sum = floats(values, from + p * stride).fma(all(weights[first + p]), sum);
    }
    sum.intoArray(out, at);
  }

  private static void fourVectors(
      float[] weights,
      int first,
      int n,
      MemorySegment values,
      long from,
      long stride,
      float[] out,
      int at) {
    FloatVector a = FloatVector.fromArray(F, out, at);
    FloatVector b = FloatVector.fromArray(F, out, at + LANES);
    FloatVector c = FloatVector.fromArray(F, out, at + 2 * LANES);
    FloatVector d = FloatVector.fromArray(F, out, at + 3 * LANES);
    for (int p = 0; p < n; p++) {
      long value = from + p * stride;
      FloatVector weight = all(weights[first + p]);
      a = floats(values, value).fma(weight, a);
      b = floats(values, value + BYTES).fma(weight, b);
      c = floats(values, value + 2L * BYTES).fma(weight, c);
      d = floats(values, value + 3L * BYTES).fma(weight, d);
    }
    a.intoArray(out, at);
    b.intoArray(out, at + LANES);
    c.intoArray(out, at + 2 * LANES);
    d.intoArray(out, at + 3 * LANES);
  }
}
