package io.trimtab.kernel;

/**
 * exp in single precision: x = n ln 2 + r with |r| ≤ ln 2 / 2, and e^r by the first eight terms of
 * its series, the rest of which is below 6e-9. Relative error below 2e-7; x is cut to [−87, 88].
 */
final class Exp {
  static final float LOWEST = -87;
  static final float HIGHEST = 88;
  static final float LOG2_E = (float) (1 / Math.log(2));

  /** Added, it leaves an integer in the lowest bits of a float. */
  static final float MAGIC = 0x1.8p23f;

  /** ln 2 with so few bits that its products with n are exact, and what is missing from it. */
  static final float LN2_HIGH = 0x1.62ep-1f;

  static final float LN2_LOW = (float) (Math.log(2) - LN2_HIGH);

  static final float TERM_7 = 1f / 5040;
  static final float TERM_6 = 1f / 720;
  static final float TERM_5 = 1f / 120;
  static final float TERM_4 = 1f / 24;
  static final float TERM_3 = 1f / 6;

  private Exp() {}

  static float of(float x) {
    float cut = Math.min(Math.max(x, LOWEST), HIGHEST);
    float shifted = Math.fma(cut, LOG2_E, MAGIC);
    float n = shifted - MAGIC;
    float r = Math.fma(n, -LN2_LOW, Math.fma(n, -LN2_HIGH, cut));
    float p = Math.fma(TERM_7, r, TERM_6);
    p = Math.fma(p, r, TERM_5);
    p = Math.fma(p, r, TERM_4);
    p = Math.fma(p, r, TERM_3);
    p = Math.fma(p, r, 0.5f);
    p = Math.fma(p, r, 1);
    p = Math.fma(p, r, 1);
    int exponent = Float.floatToRawIntBits(shifted) << 23;
    return Float.intBitsToFloat(Float.floatToRawIntBits(p) + exponent);
  }
}
