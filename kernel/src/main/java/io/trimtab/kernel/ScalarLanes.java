package io.trimtab.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** The inner loops for a JVM without the Vector API. */
final class ScalarLanes implements Lanes {
  static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  @Override
  public void panel(Panels w, int panel, Input input, float[] y) {
    int to = panel * Panels.ROWS;
    int lanes = Math.min(Panels.ROWS, w.rows() - to);
    for (int lane = 0; lane < lanes; lane++) {
      long at = w.at(panel) + (long) lane * Integer.BYTES;
      y[to + lane] = w.layout().nibbles ? nibbles(w, at, input) : bytes(w, at, input.x());
    }
  }

  private static float nibbles(Panels w, long first, Input input) {
    MemorySegment data = w.data();
    boolean half = w.layout() == Panels.Layout.NIBBLES_HALF;
    float[] x = input.nibbles();
    long at = first;
    float y = 0;
    for (int block = 0, k = 0; block < w.columns() / Input.BLOCK; block++) {
      int word = data.get(Blocks.INT, at);
      float scale = half ? Float.float16ToFloat((short) word) : Float.intBitsToFloat(word);
      float minimum =
          half ? Float.float16ToFloat((short) (word >> 16)) : data.get(FLOAT, at + Panels.LINE);
      at += (long) w.layout().scales * Panels.LINE;
      float even = 0;
      float odd = 0;
      for (int i = 0; i < 4; i++, at += Panels.LINE) {
        word = data.get(Blocks.INT, at);
        for (int j = 0; j < 2; j++, k += 4, word >>>= 16) {
          even = Math.fma((float) (word & 0xF), x[k], even);
          odd = Math.fma((float) (word & 0xF0), x[k + 1], odd);
          even = Math.fma((float) (word & 0xF00), x[k + 2], even);
          odd = Math.fma((float) (word & 0xF000), x[k + 3], odd);
        }
      }
      y = Math.fma(scale, even + odd, y);
      y = Math.fma(minimum, input.sums()[block], y);
    }
    return y;
  }

  private static float bytes(Panels w, long first, float[] x) {
    MemorySegment data = w.data();
    int words = w.layout().words;
    long at = first;
    float y = 0;
    for (int k = 0; k < w.columns(); ) {
      float scale = data.get(FLOAT, at);
      at += Panels.LINE;
      float even = 0;
      float odd = 0;
      for (int i = 0; i < words; i++, k += 4, at += Panels.LINE) {
        int word = data.get(Blocks.INT, at);
        even = Math.fma((float) ((word << 24) >> 24), x[k], even);
        odd = Math.fma((float) ((word << 16) >> 24), x[k + 1], odd);
        even = Math.fma((float) ((word << 8) >> 24), x[k + 2], even);
        odd = Math.fma((float) (word >> 24), x[k + 3], odd);
      }
      y = Math.fma(scale, even + odd, y);
    }
    return y;
  }

  @Override
  public void rows(Rows w, int first, Input input, float[] y) {
    float[] x = input.x();
    for (int row = first; row < Math.min(first + Rows.TOGETHER, w.rows()); row++) {
      float a = 0;
      float b = 0;
      int k = 0;
      for (; k < w.columns() - 1; k += 2) {
        a = Math.fma(weight(w, row, k), x[k], a);
        b = Math.fma(weight(w, row, k + 1), x[k + 1], b);
      }
      y[row] = k < w.columns() ? Math.fma(weight(w, row, k), x[k], a + b) : a + b;
    }
  }

  /** One number of a plain matrix. */
  static float weight(Rows w, int row, int column) {
    long at = w.at(row) + (long) column * w.type().bytes;
    return w.type() == Rows.Type.F32
        ? w.data().get(FLOAT, at)
        : Float.intBitsToFloat(w.data().get(SHORT, at) << 16);
  }

  @Override
  public void activate(Activation activation, float[] x, int n) {
    for (int i = 0; i < n; i++) {
      x[i] = activate(activation, x[i]);
    }
  }

  static float activate(Activation activation, float x) {
    return switch (activation) {
      case SILU -> x / (1 + Exp.of(-x));
      case GELU_TANH ->
          x / (1 + Exp.of((x + x * x * x * Activation.GELU_CUBE) * -Activation.GELU_SLOPE));
      case RELU -> Math.max(x, 0);
    };
  }

  @Override
  public void exp(float[] x, int from, int to, float shift) {
    for (int i = from; i < to; i++) {
      x[i] = Exp.of(x[i] - shift);
    }
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
    dots(q, qAt, size, keys, keysAt, n, scale, to, at);
  }

  static void dots(
      float[] q,
      int qAt,
      int size,
      MemorySegment keys,
      long keysAt,
      int n,
      float scale,
      float[] to,
      int at) {
    for (int p = 0; p < n; p++) {
      long key = keysAt + (long) p * size * Float.BYTES;
      float dot = 0;
      for (int d = 0; d < size; d++) {
        dot = Math.fma(keys.get(FLOAT, key + 4L * d), q[qAt + d], dot);
      }
      to[at + p] = dot * scale;
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
    weighted(weights, first, n, values, valuesAt, size, out, at);
  }

  static void weighted(
      float[] weights,
      int first,
      int n,
      MemorySegment values,
      long valuesAt,
      int size,
      float[] out,
      int at) {
    for (int p = 0; p < n; p++) {
      long value = valuesAt + (long) p * size * Float.BYTES;
      for (int d = 0; d < size; d++) {
        out[at + d] = Math.fma(weights[first + p], values.get(FLOAT, value + 4L * d), out[at + d]);
      }
    }
  }
}
