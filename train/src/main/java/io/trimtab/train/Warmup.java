package io.trimtab.train;

/** How many of the first steps a schedule climbs to its peak in. */
public sealed interface Warmup {
  /** No warm-up: the first step already has the peak rate. */
  static Warmup none() {
    return new Steps(0);
  }

  /**
   * A fixed number of steps.
   *
   * @throws SettingException if negative
   */
  static Warmup steps(int count) {
    return new Steps(count);
  }

  /**
   * A share of all steps, rounded up.
   *
   * @throws SettingException unless from 0 to 1
   */
  static Warmup ratio(double share) {
    return new Ratio(share);
  }

  /** The number of warm-up steps of {@code total} steps, at most {@code total}. */
  long of(long total);

  /**
   * A fixed number of steps.
   *
   * @param count at least 0
   */
  record Steps(int count) implements Warmup {
    /** Checks the number. */
    public Steps {
      if (count < 0) {
        throw new SettingException("%d warm-up steps, expected 0 or more".formatted(count));
      }
    }

    @Override
    public long of(long total) {
      return Math.min(count, total);
    }
  }

  /**
   * A share of all steps.
   *
   * @param share from 0 to 1
   */
  record Ratio(double share) implements Warmup {
    /** Checks the share. */
    public Ratio {
      if (!(share >= 0 && share <= 1)) {
        throw new SettingException("warm-up ratio %s, expected 0 to 1".formatted(share));
      }
    }

    @Override
    public long of(long total) {
      return Math.min((long) Math.ceil(share * total), total);
    }
  }
}
