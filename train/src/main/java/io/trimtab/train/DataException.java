package io.trimtab.train;

import io.trimtab.tensor.TrimtabException;

/** Data that cannot be used: a file, a column, a line or a label is not what was expected. */
public final class DataException extends TrimtabException {
  private static final long serialVersionUID = 1L;

  /** An error with a complete, self-explaining message. */
  public DataException(String message) {
    super(message);
  }

  /** An error with a complete, self-explaining message and the fault below it. */
  public DataException(String message, Throwable cause) {
    super(message, cause);
  }
}
