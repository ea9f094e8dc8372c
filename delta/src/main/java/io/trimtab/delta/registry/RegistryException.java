package io.trimtab.delta.registry;

import io.trimtab.delta.DeltaException;

/** A delta that cannot be found in the registry, put into it, or named as asked. */
public final class RegistryException extends DeltaException {
  private static final long serialVersionUID = 1L;

  /** An error with a complete, self-explaining message. */
  public RegistryException(String message) {
    super(message);
  }

  /** An error with a complete, self-explaining message and the fault below it. */
  public RegistryException(String message, Throwable cause) {
    super(message, cause);
  }
}
