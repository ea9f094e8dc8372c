package io.trimtab.tensor;

/**
 * The root of every error that Trimtab throws on purpose. Its message says what was found, what was
 * expected and what to do next, in one line.
 */
public class TrimtabException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** An error with a complete, self-explaining message. */
  public TrimtabException(String message) {
    super(message);
  }

  /** An error with a complete, self-explaining message and the fault below it. */
  public TrimtabException(String message, Throwable cause) {
    super(message, cause);
  }
}
