package io.trimtab.train;

import io.trimtab.tensor.TrimtabException;

/** A run directory that cannot be created, read, resumed or written. */
public final class RunException extends TrimtabException {
  private static final long serialVersionUID = 1L;

  /** An error with a complete, self-explaining message. */
  public RunException(String message) {
    super(message);
  }

  /** An error with a complete, self-explaining message and the fault below it. */
  public RunException(String message, Throwable cause) {
    super(message, cause);
  }
}
