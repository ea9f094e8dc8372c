package io.trimtab.hub.blocks;

/**
 * Tables of sixteen numbers from -1 to 1, one of which stands for each weight; a scale stretches
 * them.
 */
public enum FourBitCode {
  /**
   * 4-bit NormalFloat: the values between which a normal distribution is cut into parts of equal
   * weight, with an exact zero (Dettmers and others, "QLoRA", 2023, section 3 and appendix E).
   */
  NF4(
      -1.0f,
      -0.6961928f,
      -0.52507305f,
      -0.3949175f,
      -0.28444138f,
      -0.18477343f,
      -0.091050036f,
      0.0f,
      0.0795803f,
      0.1609302f,
      0.2461123f,
      0.33791524f,
      0.44070983f,
      0.562617f,
      0.72295684f,
      1.0f),
  /** 4-bit floating point: a sign, two bits of exponent, one of mantissa. */
  FP4(
      0.0f,
      0.0052083335f,
      0.6666667f,
      1.0f,
      0.33333334f,
      0.5f,
      0.16666667f,
      0.25f,
      0.0f,
      -0.0052083335f,
      -0.6666667f,
      -1.0f,
      -0.33333334f,
      -0.5f,
      -0.16666667f,
      -0.25f);

  /** How many numbers a table has. */
  public static final int SIZE = 16;

  @SuppressWarnings("ImmutableEnumChecker") // never written to
  private final float[] table;

  @SuppressWarnings("ImmutableEnumChecker") // never written to
  private final float[] middles;

  FourBitCode(float... table) {
    this.table = table;
    middles = new float[SIZE - 1];
    for (int i = 0; i < middles.length; i++) {
      middles[i] = (table[i] + table[i + 1]) / 2;
    }
  }

  /** A copy of the table, by code. */
  public float[] table() {
    return table.clone();
  }

  float[] shared() {
    return table;
  }

  /** The code of the number nearest to {@code value}; of a table in rising order alone. */
  int nearest(float value) {
    int code = value > middles[7] ? 8 : 0;
    code += value > middles[code + 3] ? 4 : 0;
    code += value > middles[code + 1] ? 2 : 0;
    return code + (value > middles[code] ? 1 : 0);
  }
}
