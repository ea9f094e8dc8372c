package io.trimtab.tensor;

/** A tensor of the wrong shape, type or device, or an operator that the engine refused. */
public class TensorException extends TrimtabException {
  private static final long serialVersionUID = 1L;

  /** An error with a complete, self-explaining message. */
  public TensorException(String message) {
    super(message);
  }

  /** An error with a complete, self-explaining message and the engine's own fault. */
  public TensorException(String message, Throwable cause) {
    super(message, cause);
  }
}
