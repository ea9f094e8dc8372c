package io.trimtab.kernel;

/** The loops for a JVM without the Vector API. */
final class ScalarLowRank implements LowRankLanes {
  @Override
  public int step() {
    return 1;
  }

  @Override
  public int parts(int ranks) {
    return 0;
  }

  @Override
  public void inner(float[] x, float[] a, int stride, int ranks, float[] parts, float[] inner) {
    for (int j = 0; j < ranks; j++) {
      for (int r = 0; r < ROWS; r++) {
        float sum = 0;
        for (int k = 0; k < stride; k++) {
          sum = Math.fma(x[r * stride + k], a[j * stride + k], sum);
        }
        inner[ROWS * j + r] = sum;
      }
    }
  }

  @Override
  public void outer(float[] inner, float[] b, int stride, int ranks, float[] y) {
    for (int r = 0; r < ROWS; r++) {
      for (int j = 0; j < ranks; j++) {
        float factor = inner[ROWS * j + r];
        for (int i = 0; i < stride; i++) {
          y[r * stride + i] = Math.fma(factor, b[j * stride + i], y[r * stride + i]);
        }
      }
    }
  }
}
