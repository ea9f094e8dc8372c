package io.trimtab.delta.compat;

/**
 * Something in an adapter that a program cannot do as it stands.
 *
 * @param effect what comes of it
 * @param field the field of {@code adapter_config.json}, or the tensors, that are why
 * @param found what is there
 * @param why what the program does with it, and what helps
 */
public record Finding(Effect effect, String field, String found, String why) {

  /** What comes of it. */
  public enum Effect {
    /** The program does not load the adapter. */
    REFUSED,
    /** The program loads it, and computes something else. */
    WRONG,
    /** The program loads it after something else was done. */
    STEP
  }
}
