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
}
