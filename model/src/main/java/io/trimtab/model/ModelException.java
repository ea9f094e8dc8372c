package io.trimtab.model;

import io.trimtab.tensor.TrimtabException;

/** A model that cannot be built or used as asked. */
public class ModelException extends TrimtabException {
  private static final long serialVersionUID = 1L;

  /** An error with a complete, self-explaining message. */
  public ModelException(String message) {
    super(message);
  }

  /** An architecture or option that Trimtab does not have; nothing is silently left out. */
  public static final class Unsupported extends ModelException {
    private static final long serialVersionUID = 1L;

    /** An error with a complete, self-explaining message. */
    public Unsupported(String message) {
      super(message);
    }
  }
}
