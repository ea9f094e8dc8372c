package io.trimtab.train;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * What a model wrote in answer to something, and what was expected.
 *
 * @param prompt what it was given
 * @param expected the right answer
 * @param said its own
 */
public record Answer(String prompt, String expected, String said) {
  private static final Pattern BETWEEN_WORDS = Pattern.compile("[^\\p{L}\\p{N}]+");

  /** Whether they are the same but for blanks at the ends. */
  public boolean isExact() {
    return expected.strip().equals(said.strip());
  }

  /**
   * How far the words agree, from 0 to 1: the harmonic mean of the shares that the longest common
   * subsequence has of either (Lin, 2004, "ROUGE", section 3.1, ROUGE-L with β = 1). Words are
   * letters and digits, case aside; two texts without any agree.
   */
  public double overlap() {
    List<String> right = words(expected);
    List<String> own = words(said);
    if (right.isEmpty() && own.isEmpty()) {
      return 1;
    }
    int common = commonSubsequence(right, own);
    return 2.0 * common / (right.size() + own.size());
  }

  private static List<String> words(String text) {
    List<String> words = new ArrayList<>();
    for (String word : BETWEEN_WORDS.split(text.toLowerCase(Locale.ROOT), -1)) {
      if (!word.isEmpty()) {
        words.add(word);
      }
    }
    return words;
  }

  private static int commonSubsequence(List<String> a, List<String> b) {
    int[] before = new int[b.size() + 1];
    for (String word : a) {
      int[] now = new int[b.size() + 1];
      for (int j = 1; j < now.length; j++) {
        now[j] = word.equals(b.get(j - 1)) ? before[j - 1] + 1 : Math.max(before[j], now[j - 1]);
      }
      before = now;
    }
    return before[b.size()];
  }
}
