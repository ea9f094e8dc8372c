package io.trimtab.delta.lokr;

/**
 * A size as a product of two, the first of which is w1's.
 *
 * @param small w1's side
 * @param large w2's side
 */
record Factors(long small, long large) {
  /**
   * Divides a size as LyCORIS does: exactly by {@code wanted} where that goes, even if the first
   * factor is then the larger; else the divisor up to {@code wanted} (without a limit for -1) that
   * is nearest to the square root from below.
   */
  static Factors of(long size, int wanted) {
    if (wanted > 0 && size % wanted == 0) {
      return new Factors(wanted, size / wanted);
    }
    long limit = wanted == -1 ? size : wanted;
    long best = 1;
    for (long divisor = 2; divisor * divisor <= size && divisor <= limit; divisor++) {
      if (size % divisor == 0) {
        best = divisor;
      }
    }
    return new Factors(best, size / best);
  }
}
