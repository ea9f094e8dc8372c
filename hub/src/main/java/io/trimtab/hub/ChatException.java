package io.trimtab.hub;

import io.trimtab.tensor.TrimtabException;

/** A conversation that cannot be made a prompt of, whatever the template; or no template for it. */
public final class ChatException extends TrimtabException {
  private static final long serialVersionUID = 1L;

  /** An error with a complete, self-explaining message. */
  public ChatException(String message) {
    super(message);
  }
}
