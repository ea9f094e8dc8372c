package io.trimtab.train;

import io.trimtab.tensor.TrimtabException;

/** A training run that cannot go on. */
public class TrainingException extends TrimtabException {
  private static final long serialVersionUID = 1L;

  /** An error with a complete, self-explaining message. */
  public TrainingException(String message) {
    super(message);
  }

  /** An error with a complete, self-explaining message and the fault below it. */
  public TrainingException(String message, Throwable cause) {
    super(message, cause);
  }
}
