package io.trimtab.train;

/**
 * The learning rate of every step. Step <i>t</i> counts from 0; of <i>n</i> steps the first
 * <i>w</i> are the warm-up, which climbs in a straight line and reaches the peak at its last step:
 * <i>peak (t + 1) / w</i>. What follows is the schedule's own.
 */
public sealed interface Schedule {
  /** The highest rate. */
  double peak();

  /** The warm-up. */
  Warmup warmup();

  /**
   * The rate of a step.
   *
   * @param step from 0 to {@code total - 1}
   * @param total the number of steps of the whole run
   * @throws SettingException if the step is not one of the run's
   */
  default double rate(long step, long total) {
    if (step < 0 || step >= total) {
      throw new SettingException(
          "step %d of %d asked for, expected 0 to %d".formatted(step, total, total - 1));
    }
    long warm = warmup().of(total);
    if (step < warm) {
      return peak() * ((step + 1.0) / warm);
    }
    return peak() * factor(step - warm, total - warm);
  }

  /**
   * The share of the peak after the warm-up.
   *
   * @param step steps since the warm-up, from 0
   * @param total steps without the warm-up, more than {@code step}
   */
  double factor(long step, long total);

  /** The peak rate all along: see {@link Constant}. */
  static Schedule constant(double peak, Warmup warmup) {
    return new Constant(peak, warmup);
  }

  /** A straight line from the peak to zero: see {@link Linear}. */
  static Schedule linear(double peak, Warmup warmup) {
    return new Linear(peak, warmup);
  }

  /** Half a cosine wave from the peak to zero: see {@link Cosine}. */
  static Schedule cosine(double peak, Warmup warmup) {
    return new Cosine(peak, warmup);
  }

  private static void check(double peak) {
    if (!(peak > 0 && peak < Double.POSITIVE_INFINITY)) {
      throw new SettingException(
          "learning rate %s, expected a finite number above 0".formatted(peak));
    }
  }

  /**
   * The peak rate until the end.
   *
   * @param peak the highest rate
   * @param warmup the warm-up
   */
  record Constant(double peak, Warmup warmup) implements Schedule {
    /** Checks the rate. */
    public Constant {
      check(peak);
    }

    @Override
    public double factor(long step, long total) {
      return 1;
    }
  }

  /**
   * Falls in a straight line: <i>peak (n - t) / (n - w)</i>, which would be zero one step after the
   * last.
   *
   * @param peak the highest rate
   * @param warmup the warm-up
   */
  record Linear(double peak, Warmup warmup) implements Schedule {
    /** Checks the rate. */
    public Linear {
      check(peak);
    }

    @Override
    public double factor(long step, long total) {
      return (total - step) / (double) total;
    }
  }

  /**
   * Falls along half a cosine wave: <i>peak (1 + cos(&pi; (t - w) / (n - w))) / 2</i> (Loshchilov,
   * Hutter: SGDR, ICLR 2017, equation 5, without restarts), which would be zero one step after the
   * last.
   *
   * @param peak the highest rate
   * @param warmup the warm-up
   */
  record Cosine(double peak, Warmup warmup) implements Schedule {
    /** Checks the rate. */
    public Cosine {
      check(peak);
    }

    @Override
    public double factor(long step, long total) {
      return 0.5 * (1 + Math.cos(Math.PI * step / total));
    }
  }
}
