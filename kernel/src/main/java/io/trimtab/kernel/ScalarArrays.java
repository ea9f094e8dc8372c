package io.trimtab.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** The loops for a JVM without the Vector API, and for what is left over of a vector. */
final class ScalarArrays implements ArrayLanes {
  static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  @Override
  public void widen(Rows.Type type, MemorySegment from, long at, float[] to, int toAt, int n) {
    switch (type) {
      case F32 -> MemorySegment.copy(from, ScalarLanes.FLOAT, at, to, toAt, n);
      case BF16 -> widen(from, at, to, toAt, n);
    }
  }

  static void widen(MemorySegment from, long at, float[] to, int toAt, int n) {
    for (int i = 0; i < n; i++) {
      to[toAt + i] = Float.intBitsToFloat(from.get(SHORT, at + 2L * i) << 16);
    }
  }

  @Override
  public int place(Rows.Type type, int i, int n) {
    return i;
  }

  @Override
  public void narrow(Rows.Type type, float[] from, int fromAt, int n, MemorySegment to, long at) {
    switch (type) {
      case F32 -> MemorySegment.copy(from, fromAt, to, ScalarLanes.FLOAT, at, n);
      case BF16 -> narrow(from, fromAt, n, to, at);
    }
  }

  static void narrow(float[] from, int fromAt, int n, MemorySegment to, long at) {
    for (int i = 0; i < n; i++) {
      int bits = Float.floatToRawIntBits(from[fromAt + i]);
      to.set(SHORT, at + 2L * i, (short) ((bits + 0x7FFF + ((bits >>> 16) & 1)) >>> 16));
    }
  }

  @Override
  public float dot(float[] a, float[] b, int n) {
    return dot(a, b, 0, n);
  }

  static float dot(float[] a, float[] b, int from, int n) {
    float sum = 0;
    for (int i = from; i < n; i++) {
      sum = Math.fma(a[i], b[i], sum);
    }
    return sum;
  }

  @Override
  public void scale(float[] x, float[] w, float s, int n) {
    scale(x, w, s, 0, n);
  }

  static void scale(float[] x, float[] w, float s, int from, int n) {
    for (int i = from; i < n; i++) {
      x[i] = x[i] * s * w[i];
    }
  }

  @Override
  public void scale(float[] x, float s, int n) {
    RowMath.scale(x, 0, n, s);
  }

  @Override
  public void combine(float[] g, float s, float[] x, float c, int n) {
    combine(g, s, x, c, 0, n);
  }

  static void combine(float[] g, float s, float[] x, float c, int from, int n) {
    for (int i = from; i < n; i++) {
      g[i] = g[i] * s - x[i] * c;
    }
  }

  @Override
  public void gate(Activation activation, float[] a, float[] b, int n) {
    gate(activation, a, b, 0, n);
  }

  static void gate(Activation activation, float[] a, float[] b, int from, int n) {
    for (int i = from; i < n; i++) {
      a[i] = ScalarLanes.activate(activation, a[i]) * b[i];
    }
  }

  @Override
  public void gateGradient(Activation activation, float[] a, float[] b, float[] g, int n) {
    gateGradient(activation, a, b, g, 0, n);
  }

  static void gateGradient(
      Activation activation, float[] a, float[] b, float[] g, int from, int n) {
    for (int i = from; i < n; i++) {
      float x = a[i];
      // All three are x σ(k(x)), or a step in the place of σ.
      float open =
          switch (activation) {
            case SILU -> 1 / (1 + Exp.of(-x));
            case GELU_TANH ->
                1 / (1 + Exp.of(-Activation.GELU_SLOPE * (x + Activation.GELU_CUBE * x * x * x)));
            case RELU -> x > 0 ? 1 : 0;
          };
      float slope =
          switch (activation) {
            case SILU -> 1;
            case GELU_TANH -> Activation.GELU_SLOPE * (1 + 3 * Activation.GELU_CUBE * x * x);
            case RELU -> 0;
          };
      a[i] = g[i] * b[i] * open * (1 + x * slope * (1 - open));
      b[i] = g[i] * x * open;
    }
  }

  @Override
  public void rotate(float[] x, float[] cosine, float[] sine, float sign, int n) {
    rotate(x, cosine, sine, sign, 0, n);
  }

  static void rotate(float[] x, float[] cosine, float[] sine, float sign, int from, int n) {
    for (int i = from; i < n; i++) {
      float s = sine[i] * sign;
      float turned = x[i] * cosine[i] - x[n + i] * s;
      x[n + i] = x[n + i] * cosine[i] + x[i] * s;
      x[i] = turned;
    }
  }

  @Override
  public float largest(float[] x, int n) {
    return RowMath.largest(x, 0, n);
  }

  @Override
  public float exp(float[] x, float factor, float shift, int n) {
    return exp(x, factor, shift, 0, n);
  }

  static float exp(float[] x, float factor, float shift, int from, int n) {
    float sum = 0;
    for (int i = from; i < n; i++) {
      x[i] = Exp.of(x[i] * factor - shift);
      sum += x[i];
    }
    return sum;
  }

  @Override
  public void softmaxGradient(float[] g, float[] p, float c, float s, int n) {
    softmaxGradient(g, p, c, s, 0, n);
  }

  static void softmaxGradient(float[] g, float[] p, float c, float s, int from, int n) {
    for (int i = from; i < n; i++) {
      g[i] = p[i] * (g[i] - c) * s;
    }
  }
}
