package io.trimtab.kernel;

/**
 * The loops of {@link LowRankRows} over four rows at a time, by vectors or one by one. All strides
 * are multiples of {@link #step}, and what is between a row's end and its stride is zero: so no
 * loop has a tail.
 */
interface LowRankLanes {
  /** Rows that are computed together. */
  int ROWS = 4;

  /** Ranks are computed in multiples of this. */
  int RANKS = 4;

  /** What a row's length is rounded up to. */
  int step();

  /** Numbers of {@code parts} that {@link #inner} takes for so many ranks. */
  int parts(int ranks);

  /**
   * {@code inner[4 j + r] = Σ_k x[r, k] a[j, k]}, for every j and r in the same order.
   *
   * @param x four rows
   * @param a {@code ranks} rows
   * @param stride from row to row of both
   * @param ranks a multiple of {@link #RANKS}
   * @param parts room to work in
   */
  void inner(float[] x, float[] a, int stride, int ranks, float[] parts, float[] inner);

  /**
   * {@code y[r, i] += Σ_j inner[4 j + r] b[j, i]}, j by j.
   *
   * @param y four rows
   * @param b {@code ranks} rows
   * @param stride from row to row of both
   * @param ranks any number from 1 on
   */
  void outer(float[] inner, float[] b, int stride, int ranks, float[] y);
}
