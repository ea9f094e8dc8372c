package io.trimtab.delta;

import io.trimtab.tensor.TrimtabException;

/** A delta that cannot be attached, read or written as asked. */
public class DeltaException extends TrimtabException {
  private static final long serialVersionUID = 1L;

  /** An error with a complete, self-explaining message. */
  public DeltaException(String message) {
    super(message);
  }

  /** An error with a complete, self-explaining message and the fault below it. */
  public DeltaException(String message, Throwable cause) {
    super(message, cause);
  }

  /** An address that names nothing in the model. */
  public static final class NoMatch extends DeltaException {
    private static final long serialVersionUID = 1L;

    /** An error with a complete, self-explaining message. */
    public NoMatch(String message) {
      super(message);
    }
  }

  /** A method or option that Trimtab does not have; nothing is silently left out. */
  public static final class Unsupported extends DeltaException {
    private static final long serialVersionUID = 1L;

    /** An error with a complete, self-explaining message. */
    public Unsupported(String message) {
      super(message);
    }
  }

  /** A delta that was tuned on other weights than those it is put on. */
  public static final class BaseMismatch extends DeltaException {
    private static final long serialVersionUID = 1L;

    /** An error with a complete, self-explaining message. */
    public BaseMismatch(String message) {
      super(message);
    }
  }
}
