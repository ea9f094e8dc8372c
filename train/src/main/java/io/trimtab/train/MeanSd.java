package io.trimtab.train;

import java.util.Locale;

/**
 * The mean of repeated runs and their sample standard deviation (divisor n - 1).
 *
 * @param mean the mean
 * @param sd the sample standard deviation; NaN for a single value, which has none
 * @param count how many values
 */
public record MeanSd(double mean, double sd, int count) {
  /**
   * Of all values.
   *
   * @throws DataException if there are none
   */
  public static MeanSd of(double... values) {
    if (values.length == 0) {
      throw new DataException("there are no values to average; expected at least one");
    }
    double sum = 0;
    for (double value : values) {
      sum += value;
    }
    double mean = sum / values.length;
    // Differences from the mean, not sums of squares: those lose all digits where sd << mean.
    double squares = 0;
    for (double value : values) {
      squares += (value - mean) * (value - mean);
    }
    double sd = values.length == 1 ? Double.NaN : Math.sqrt(squares / (values.length - 1));
    return new MeanSd(mean, sd, values.length);
  }

  /** In percent with one decimal: "91.3 ± 0.4", or "91.3" for a single value. */
  public String percent() {
    String text = String.format(Locale.ROOT, "%.1f", 100 * mean);
    return count == 1 ? text : text + String.format(Locale.ROOT, " ± %.1f", 100 * sd);
  }

  @Override
  public String toString() {
    String text = String.format(Locale.ROOT, "%.4f", mean);
    return count == 1 ? text : text + String.format(Locale.ROOT, " ± %.4f", sd);
  }
}
