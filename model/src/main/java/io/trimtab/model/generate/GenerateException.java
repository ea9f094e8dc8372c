package io.trimtab.model.generate;

import io.trimtab.model.ModelException;

/** A setting that no text can be made with, or a text that cannot be gone on with. */
public final class GenerateException extends ModelException {
  private static final long serialVersionUID = 1L;

  /** An error with a complete, self-explaining message. */
  public GenerateException(String message) {
    super(message);
  }

  /** Refuses a setting unless {@code right}. */
  static void check(boolean right, String setting, Object found, String expected) {
    if (!right) {
      throw new GenerateException("found " + setting + " " + found + ", expected " + expected);
    }
  }

  /** Refuses a logarithmic probability that is none. */
  static void checkNumber(double logProbability) {
    if (Double.isNaN(logProbability)) {
      throw new GenerateException(
          "found scores that are no numbers, expected finite ones; the model overflows: try another"
              + " dtype, or look for such numbers in its weights and its delta");
    }
  }
}
