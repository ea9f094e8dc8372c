package io.trimtab.kernel;

import java.util.Arrays;

/**
 * A product's input in the forms that matrices want it, each made at the first demand and by one
 * thread. Arrays end in zeros up to a whole number of {@link #BLOCK}s.
 */
final class Input {
  /** Columns under one sum. */
  static final int BLOCK = 32;

  /**
   * The order in which {@link Panels.Layout#nibbles} come: bits 0 to 31 of a word, four bits each.
   */
  private static final int[] NIBBLES = {0, 16, 1, 17, 2, 18, 3, 19};

  private final float[] x;
  private float[] nibbles = {};
  private float[] sums = {};
  private float[] evenOdd = {};

  private Input(float[] padded) {
    x = padded;
  }

  static Input of(float[] x, int columns) {
    int padded = (columns + BLOCK - 1) / BLOCK * BLOCK;
    if (x.length == padded) {
      return new Input(x);
    }
    float[] copy = new float[padded];
    System.arraycopy(x, 0, copy, 0, columns);
    return new Input(copy);
  }

  void prepare(Matrix matrix) {
    switch (matrix) {
      case Panels panels -> {
        if (panels.layout().nibbles && nibbles.length == 0) {
          nibbles = scaled(x);
          sums = sums(x);
        }
      }
      case Rows rows -> {
        if (rows.type() == Rows.Type.BF16 && evenOdd.length == 0) {
          evenOdd = evenOdd(x);
        }
      }
    }
  }

  /**
   * In the order of a panel's nibbles, times 16^-(i mod 4): a 4-bit weight is masked where it lies
   * in 16 bits and not shifted, and so 16^(i mod 4) too large. Powers of two cost no accuracy.
   */
  private static float[] scaled(float[] x) {
    float[] to = new float[x.length];
    for (int at = 0; at < to.length; at += 8) {
      int from = at / BLOCK * BLOCK + at % BLOCK / 2;
      for (int i = 0; i < 8; i += 4) {
        to[at + i] = x[from + NIBBLES[i]];
        to[at + i + 1] = x[from + NIBBLES[i + 1]] * 0x1p-4f;
        to[at + i + 2] = x[from + NIBBLES[i + 2]] * 0x1p-8f;
        to[at + i + 3] = x[from + NIBBLES[i + 3]] * 0x1p-12f;
      }
    }
    return to;
  }

  private static float[] sums(float[] x) {
    float[] to = new float[x.length / BLOCK];
    for (int block = 0; block < to.length; block++) {
      float a = 0;
      float b = 0;
      float c = 0;
      float d = 0;
      for (int k = block * BLOCK; k < (block + 1) * BLOCK; k += 4) {
        a += x[k];
        b += x[k + 1];
        c += x[k + 2];
        d += x[k + 3];
      }
      to[block] = (a + b) + (c + d);
    }
    return to;
  }

  private static float[] evenOdd(float[] x) {
    float[] to = Arrays.copyOf(x, x.length);
    int half = x.length / 2;
    for (int i = 0; i < half; i++) {
      to[i] = x[2 * i];
      to[half + i] = x[2 * i + 1];
    }
    return to;
  }

  /** As it came. */
  float[] x() {
    return x;
  }

  /** As {@link Panels.Layout#nibbles} want it. */
  float[] nibbles() {
    return nibbles;
  }

  /** Sums over {@link #BLOCK} columns, which minima multiply. */
  float[] sums() {
    return sums;
  }

  /** Those of even columns, then those of odd ones. */
  float[] evenOdd() {
    return evenOdd;
  }
}
