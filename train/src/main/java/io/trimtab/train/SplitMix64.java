package io.trimtab.train;

import java.util.Collections;
import java.util.List;

/**
 * A small pseudo-random generator whose numbers are the same on every platform and JDK, for what
 * must be repeatable: which examples are drawn and in which order they come. Its whole state is one
 * {@code long}, so that a checkpoint can hold it.
 *
 * <p>Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, OOPSLA 2014, with David
 * Stafford's variant 13 of the mixing constants.
 */
public final class SplitMix64 {
  private long state;

  /** A generator that starts at the seed; any value is good. */
  public SplitMix64(long seed) {
    this.state = seed;
  }

  /** The state: a new generator with this seed goes on with the same numbers. */
  public long state() {
    return state;
  }

  /** The next 64 random bits. */
  public long nextLong() {
    state += 0x9E3779B97F4A7C15L;
    long z = state;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }

  /**
   * A number from 0 (inclusive) to {@code bound} (exclusive), all equally likely.
   *
   * @param bound at least 1
   * @throws SettingException if {@code bound} is less than 1
   */
  public int nextInt(int bound) {
    if (bound < 1) {
      throw new SettingException("bound is %d, expected at least 1".formatted(bound));
    }
    // Of the 2^63 non-negative values, those beyond the last whole multiple of bound are drawn
    // again; else small remainders would be slightly more likely.
    while (true) {
      long bits = nextLong() >>> 1;
      long value = bits % bound;
      if (bits - value + (bound - 1) >= 0) {
        return (int) value;
      }
    }
  }

  /** Shuffles in place, all orders equally likely (Fisher and Yates). */
  public void shuffle(List<?> list) {
    for (int i = list.size() - 1; i > 0; i--) {
      Collections.swap(list, i, nextInt(i + 1));
    }
  }
}
