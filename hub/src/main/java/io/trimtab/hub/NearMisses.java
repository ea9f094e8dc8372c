package io.trimtab.hub;

import java.util.Collection;
import java.util.Comparator;
import java.util.stream.Collectors;

/** Finds the names someone may have meant. */
final class NearMisses {
  private static final int SHOWN = 3;

  private NearMisses() {}

  /** A hint such as {@code "; closest are 'a', 'b'"}, or an empty text if there are no names. */
  static String hint(String wanted, Collection<String> names) {
    if (names.isEmpty()) {
      return "; it has no tensors at all";
    }
    record Scored(String name, int distance) {}
    return names.stream()
        .map(name -> new Scored(name, distance(wanted, name)))
        .sorted(Comparator.comparingInt(Scored::distance).thenComparing(Scored::name))
        .limit(SHOWN)
        .map(scored -> "'" + scored.name() + "'")
        .collect(Collectors.joining(", ", "; closest are ", ""));
  }

  /**
   * Edit distance where what is missing at the front costs nothing: prefixes are often forgotten.
   */
  private static int distance(String wanted, String name) {
    if (name.endsWith(wanted) || wanted.endsWith(name)) {
      return 0;
    }
    int[] previous = new int[name.length() + 1];
    int[] current = new int[name.length() + 1];
    for (int j = 0; j <= name.length(); j++) {
      previous[j] = j;
    }
    for (int i = 1; i <= wanted.length(); i++) {
      current[0] = i;
      for (int j = 1; j <= name.length(); j++) {
        int replaced = previous[j - 1] + (wanted.charAt(i - 1) == name.charAt(j - 1) ? 0 : 1);
        current[j] = Math.min(replaced, 1 + Math.min(previous[j], current[j - 1]));
      }
      int[] swap = previous;
      previous = current;
      current = swap;
    }
    return previous[name.length()];
  }
}
