package io.trimtab.kernel;

import java.lang.foreign.MemorySegment;

/** The inner loops, by vectors or one by one. */
interface Lanes {
  /**
   * The product of one panel with the input.
   *
   * @param y receives the panel's outputs (sixteen, or as many as the matrix has left) from {@code
   *     16 · panel} on
   */
  void panel(Panels w, int panel, Input input, float[] y);

  /**
   * Outputs [first, first + {@link Rows#TOGETHER}) of a plain matrix, or as many as are left.
   *
   * @param y receives them from {@code first} on
   */
  void rows(Rows w, int first, Input input, float[] y);

  /** {@code x[i] = activation(x[i])} for i below n. */
  void activate(Activation activation, float[] x, int n);

  /** {@code x[i] = exp(x[i] − shift)} for i from {@code from} up to {@code to}. */
  void exp(float[] x, int from, int to, float shift);

  /**
   * {@code to[at + p] = scale · Σ_d q[qAt + d] · keys[p, d]} for p below n.
   *
   * @param keys {@code [n, size]}, F32, from byte {@code keysAt} on
   */
  void scores(
      float[] q,
      int qAt,
      int size,
      MemorySegment keys,
      long keysAt,
      int n,
      float scale,
      float[] to,
      int at);

  /**
   * {@code out[at + d] += Σ_p weights[first + p] · values[p, d]} for p below n.
   *
   * @param values {@code [n, size]}, F32, from byte {@code valuesAt} on
   */
  void mix(
      float[] weights,
      int first,
      int n,
      MemorySegment values,
      long valuesAt,
      int size,
      float[] out,
      int at);
}
