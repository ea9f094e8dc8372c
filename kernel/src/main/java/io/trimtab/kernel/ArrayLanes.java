package io.trimtab.kernel;

import java.lang.foreign.MemorySegment;

/**
 * The loops of {@link FusedRows} over arrays that fit the processor's nearest cache, by vectors or
 * one by one. Numbers of 16 bits stand in an array in an order of their own, which is the same for
 * all stretches of one length: what is done element by element does not mind.
 */
interface ArrayLanes {
  /** {@code to[toAt + i]} becomes the i-th number from byte {@code at} on, for i below n. */
  void widen(Rows.Type type, MemorySegment from, long at, float[] to, int toAt, int n);

  /** Where the i-th of n numbers stands, counted from the first one's place. */
  int place(Rows.Type type, int i, int n);

  /** The way back, rounded to the nearest and halves to even. */
  void narrow(Rows.Type type, float[] from, int fromAt, int n, MemorySegment to, long at);

  /** Σ a b. */
  float dot(float[] a, float[] b, int n);

  /** x ← x w s. */
  void scale(float[] x, float[] w, float s, int n);

  /** x ← x s. */
  void scale(float[] x, float s, int n);

  /** g ← g s − x c. */
  void combine(float[] g, float s, float[] x, float c, int n);

  /** a ← activation(a) · b. */
  void gate(Activation activation, float[] a, float[] b, int n);

  /** a ← g · b · activation′(a) and b ← g · activation(a). */
  void gateGradient(Activation activation, float[] a, float[] b, float[] g, int n);

  /** x[i] ← x[i] c − x[n + i] s and x[n + i] ← x[n + i] c + x[i] s for i below n, s times sign. */
  void rotate(float[] x, float[] cosine, float[] sine, float sign, int n);

  /** The largest of x; at least one. */
  float largest(float[] x, int n);

  /** x ← exp(x · factor − shift); the sum of these. */
  float exp(float[] x, float factor, float shift, int n);

  /** g ← p (g − c) s. */
  void softmaxGradient(float[] g, float[] p, float c, float s, int n);
}
