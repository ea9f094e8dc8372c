package io.trimtab.delta.compose;

import io.trimtab.delta.DeltaException;

/** A text that should name a delta and does not follow the rules of such texts. */
public final class DeltaSyntaxException extends DeltaException {
  private static final long serialVersionUID = 1L;

  DeltaSyntaxException(String message) {
    super(message);
  }
}
