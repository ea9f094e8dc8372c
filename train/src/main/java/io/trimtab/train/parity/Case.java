package io.trimtab.train.parity;

import java.util.Locale;

/**
 * How one recorded case came out.
 *
 * @param name the kind's folder and the case's, such as {@code hf/bert}
 * @param status how it came out
 * @param error the error that comes closest to, or goes furthest beyond, what is allowed; NaN where
 *     nothing was measured
 * @param why what is not supported or what is wrong, or that it took F64 to see that all is well;
 *     else empty
 */
public record Case(String name, Status status, double error, String why) {
  /** How a case came out. */
  public enum Status {
    /** All errors are within what is allowed. */
    OK,
    /** It needs something that Trimtab says it does not have. */
    REFUSED,
    /** An error is larger than allowed, or the case cannot be read or run. */
    WRONG
  }

  /** The same, told to be computed in F64 after an error in F32 that rounding may explain. */
  Case inF64(double before) {
    String told = String.format(Locale.ROOT, "in F64; F32 rounds to %.1e", before);
    return new Case(name, status, error, told);
  }

  @Override
  public String toString() {
    return switch (status) {
      case OK -> "%s ok %.1e%s".formatted(name, error, why.isEmpty() ? "" : " (" + why + ")");
      case REFUSED -> "%s refused (%s)".formatted(name, why);
      case WRONG -> "%s wrong (%s)".formatted(name, why);
    };
  }
}
