package io.trimtab.hub;

import io.trimtab.tensor.TrimtabException;

/** A file was asked for a tensor that it does not hold; the message names the closest ones. */
public class TensorNotFoundException extends TrimtabException {
  private static final long serialVersionUID = 1L;

  /** An error with a complete, self-explaining message. */
  public TensorNotFoundException(String message) {
    super(message);
  }
}
