package io.trimtab.train;

import io.trimtab.tensor.TrimtabException;

/** A setting of training, sampling or a schedule that cannot work. */
public final class SettingException extends TrimtabException {
  private static final long serialVersionUID = 1L;

  /** An error with a complete, self-explaining message. */
  public SettingException(String message) {
    super(message);
  }
}
