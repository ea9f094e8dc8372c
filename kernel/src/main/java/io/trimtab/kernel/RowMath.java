package io.trimtab.kernel;

/**
 * What a decode step does to a row of F32 besides products, in plain loops. Sums run in four
 * chains, for one would wait for every addition; the compiler must not reorder them, so results are
 * the same everywhere.
 */
public final class RowMath {
  private RowMath() {}

  /**
   * Root-mean-square normalisation (Zhang and Sennrich, 2019, "Root Mean Square Layer
   * Normalization", equation 4) of elements [at, at + weight.length) in place: x / √(mean(x²) +
   * epsilon) · weight.
   */
  public static void rmsNorm(float[] x, int at, float[] weight, double epsilon) {
    int n = weight.length;
    float scale = (float) (1 / Math.sqrt(squares(x, at, n, 0) / n + epsilon));
    for (int i = 0; i < n; i++) {
      x[at + i] = x[at + i] * scale * weight[i];
    }
  }

  /**
   * Layer normalisation (Ba, Kiros and Hinton, 2016, equation 3) of elements [at, at +
   * weight.length) in place: (x − mean) / √(variance + epsilon) · weight + bias.
   */
  public static void layerNorm(float[] x, int at, float[] weight, float[] bias, double epsilon) {
    int n = weight.length;
    double total = 0;
    for (int i = at; i < at + n; i++) {
      total += x[i];
    }
    double mean = total / n;
    double scale = 1 / Math.sqrt(squares(x, at, n, mean) / n + epsilon);
    for (int i = 0; i < n; i++) {
      x[at + i] = (float) ((x[at + i] - mean) * scale) * weight[i] + bias[i];
    }
  }

  /** Σ (x − mean)². */
  private static double squares(float[] x, int at, int n, double mean) {
    double a = 0;
    double b = 0;
    double c = 0;
    double d = 0;
    int i = at;
    for (; i <= at + n - 4; i += 4) {
      a += (x[i] - mean) * (x[i] - mean);
      b += (x[i + 1] - mean) * (x[i + 1] - mean);
      c += (x[i + 2] - mean) * (x[i + 2] - mean);
      d += (x[i + 3] - mean) * (x[i + 3] - mean);
    }
    for (; i < at + n; i++) {
      a += (x[i] - mean) * (x[i] - mean);
    }
    return (a + b) + (c + d);
  }

  /** x += y. */
  public static void add(float[] x, float[] y) {
    for (int i = 0; i < x.length; i++) {
      x[i] += y[i];
    }
  }

  /** x *= y. */
  public static void multiply(float[] x, float[] y) {
    for (int i = 0; i < x.length; i++) {
      x[i] *= y[i];
    }
  }

  /**
   * Rotary positions (Su et al., 2021, "RoFormer", section 3.2.2) of packed heads in place: element
   * i of a head and element i + cosine.length are a point in the plane and turned; elements from 2
   * · cosine.length on stay.
   */
  public static void rotate(float[] x, int heads, float[] cosine, float[] sine) {
    int size = x.length / heads;
    int half = cosine.length;
    for (int head = 0; head < heads; head++) {
      for (int i = 0; i < half; i++) {
        int a = head * size + i;
        int b = a + half;
        float turned = x[a] * cosine[i] - x[b] * sine[i];
        x[b] = x[b] * cosine[i] + x[a] * sine[i];
        x[a] = turned;
      }
    }
  }

  static void scale(float[] x, int from, int to, float factor) {
    for (int i = from; i < to; i++) {
      x[i] *= factor;
    }
  }

  static float sum(float[] x, int from, int to) {
    float a = 0;
    float b = 0;
    float c = 0;
    float d = 0;
    int i = from;
    for (; i <= to - 4; i += 4) {
      a += x[i];
      b += x[i + 1];
      c += x[i + 2];
      d += x[i + 3];
    }
    for (; i < to; i++) {
      a += x[i];
    }
    return (a + b) + (c + d);
  }

  static float largest(float[] x, int from, int to) {
    float a = x[from];
    float b = a;
    int i = from;
    for (; i <= to - 2; i += 2) {
      a = Math.max(a, x[i]);
      b = Math.max(b, x[i + 1]);
    }
    return i < to ? Math.max(Math.max(a, b), x[i]) : Math.max(a, b);
  }
}
