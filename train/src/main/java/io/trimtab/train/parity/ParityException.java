package io.trimtab.train.parity;

import io.trimtab.tensor.TrimtabException;

/** A folder of recorded cases that cannot be read. */
public class ParityException extends TrimtabException {
  private static final long serialVersionUID = 1L;

  /** An error with a complete, self-explaining message. */
  public ParityException(String message) {
    super(message);
  }

  /** An error with a complete, self-explaining message and the fault below it. */
  public ParityException(String message, Throwable cause) {
    super(message, cause);
  }

  /** A case that asks for something Trimtab does not have; nothing is silently left out. */
  public static final class Unsupported extends ParityException {
    private static final long serialVersionUID = 1L;

    /** An error with a complete, self-explaining message. */
    public Unsupported(String message) {
      super(message);
    }
  }
}
