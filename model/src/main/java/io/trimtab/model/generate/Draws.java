package io.trimtab.model.generate;

/**
 * Random numbers by their place instead of their order: each is computed from the seed, the prompt,
 * the number of the sample and the step, so that no other sample, batch or thread has a say in it.
 * The numbers are mixed by the finalizer of SplitMix64 (Steele, Lea and Flood, "Fast Splittable
 * Pseudorandom Number Generators", 2014, figure 16) with Stafford's variant 13 of its constants.
 */
public final class Draws {
  private static final long GOLDEN = 0x9E3779B97F4A7C15L;
  private static final double UNIT = 0x1p-53;

  private final long key;

  private Draws(long key) {
    this.key = key;
  }

  /** The numbers of one sample of a prompt. */
  public static Draws of(long seed, int[] prompt, int sample) {
    long hash = mix(seed + GOLDEN);
    for (int token : prompt) {
      hash = mix((hash ^ token) + GOLDEN);
    }
    return new Draws(mix((hash ^ sample) + GOLDEN));
  }

  /** The number of a step, in [0, 1). */
  public double at(int step) {
    return (mix(key + GOLDEN * (step + 1L)) >>> 11) * UNIT;
  }

  private static long mix(long bits) {
    long z = bits;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }
}
