package io.trimtab.train;

import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** The known word nearest to a mistyped one. */
final class Nearest {
  private Nearest() {}

  /** The nearest by edit distance, case aside; none if nothing is near. */
  static Optional<String> of(String word, List<String> known) {
    Optional<String> best = Optional.empty();
    int bestDistance = Integer.MAX_VALUE;
    for (String candidate : known) {
      int distance = distance(fold(word), fold(candidate));
      boolean near = distance <= Math.max(2, Math.max(word.length(), candidate.length()) / 2);
      if (near && distance < bestDistance) {
        best = Optional.of(candidate);
        bestDistance = distance;
      }
    }
    return best;
  }

  private static String fold(String word) {
    return word.strip().toLowerCase(Locale.ROOT);
  }

  /** Levenshtein distance: insertions, deletions and substitutions of one character. */
  static int distance(String a, String b) {
    int[] previous = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      previous[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int[] current = new int[b.length() + 1];
      current[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int substituted = previous[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        current[j] = Math.min(substituted, 1 + Math.min(previous[j], current[j - 1]));
      }
      previous = current;
    }
    return previous[b.length()];
  }
}
