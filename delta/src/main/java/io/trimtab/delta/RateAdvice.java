package io.trimtab.delta;

import java.util.Locale;
import java.util.Optional;

/**
 * A word of warning where a learning rate is far from what a method usually takes: rates of delta
 * methods lie up to four orders of magnitude apart, so that one carried over from another method is
 * a common reason for a run that learns nothing or diverges.
 */
public final class RateAdvice {
  /** How many times the usual rate, or its how-many-th part, is worth a word. */
  public static final double FAR = 100;

  private RateAdvice() {}

  /**
   * What to say of a rate for a method; empty where there is nothing to say.
   *
   * @param rate the highest learning rate of the run
   */
  public static Optional<String> of(DeltaMethod method, double rate) {
    if (!(rate > 0) || Double.isInfinite(rate)) {
      return Optional.empty(); // refused elsewhere
    }
    double usual = method.defaultRate();
    boolean high = rate >= FAR * usual;
    boolean low = rate <= usual / FAR;
    return high || low
        ? Optional.of(
            String.format(
                Locale.ROOT,
                "found a learning rate of %s, %.0f times %s the %s that is usual for %s; training"
                    + " is likely to %s, leave the rate out to take the usual one",
                rate,
                high ? rate / usual : usual / rate,
                high ? "above" : "below",
                usual,
                method.name(),
                high ? "diverge" : "change next to nothing"))
        : Optional.empty();
  }
}
