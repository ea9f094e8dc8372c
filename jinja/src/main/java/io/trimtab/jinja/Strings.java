package io.trimtab.jinja;

import java.util.ArrayList;
import java.util.List;

/** Python's strings are sequences of code points; here is what that changes. */
final class Strings {
  private static final int SHORT = 16;

  private Strings() {}

  /** What {@code str.isspace} and {@code \s} mean. */
  static boolean isSpace(int c) {
    return (c >= 9 && c <= 13)
        || (c >= 0x1c && c <= 0x20)
        || c == 0x85
        || (c > 127 && Character.isSpaceChar(c));
  }

  static String stripEnd(String text) {
    int end = text.length();
    while (end > 0 && isSpace(text.charAt(end - 1))) {
      end--;
    }
    return text.substring(0, end);
  }

  static boolean isBlank(String text, int from) {
    for (int i = from; i < text.length(); i++) {
      if (!isSpace(text.charAt(i))) {
        return false;
      }
    }
    return true;
  }

  /** The order by code points. */
  static int compare(String a, String b) {
    int n = Math.min(a.length(), b.length());
    for (int i = 0; i < n; i++) {
      char x = a.charAt(i);
      char y = b.charAt(i);
      if (x != y) {
        boolean pairs = Character.isSurrogate(x) != Character.isSurrogate(y);
        return pairs ? (Character.isSurrogate(x) ? 1 : -1) : Character.compare(x, y);
      }
    }
    return Integer.compare(a.length(), b.length());
  }

  /** {@link String#indexOf(String, int)} in time that is linear in both lengths. */
  static int indexOf(String text, String part, int from, Budget budget) {
    if (part.length() > text.length() - from) {
      budget.step();
      return -1;
    }
    if (part.length() <= SHORT) {
      int found = text.indexOf(part, from);
      budget.work(plain(found < 0 ? text.length() - from : found - from, part));
      return found;
    }
    int[] borders = borders(part, budget);
    int matched = 0;
    for (int i = Math.max(0, from); i < text.length(); i++) {
      while (matched > 0 && text.charAt(i) != part.charAt(matched)) {
        matched = borders[matched - 1];
      }
      if (text.charAt(i) == part.charAt(matched) && ++matched == part.length()) {
        budget.work(i - from);
        return i - part.length() + 1;
      }
    }
    budget.work(Math.max(0, text.length() - from));
    return -1;
  }

  /** The last place where {@code part} lies wholly before {@code end}, in linear time. */
  static int lastIndexOf(String text, String part, int end, Budget budget) {
    budget.work(end);
    if (part.length() > end) {
      return -1;
    }
    if (part.length() <= SHORT) {
      budget.work(plain(end, part));
      return text.lastIndexOf(part, end - part.length());
    }
    int[] borders = borders(part, budget);
    int last = -1;
    for (int i = 0, matched = 0; i < end; i++) {
      while (matched > 0 && text.charAt(i) != part.charAt(matched)) {
        matched = borders[matched - 1];
      }
      if (text.charAt(i) == part.charAt(matched) && ++matched == part.length()) {
        last = i - part.length() + 1;
        matched = borders[matched - 1];
      }
    }
    return last;
  }

  /** The work of a search that may compare a short part at each place anew. */
  private static long plain(long places, String part) {
    return places * (1 + part.length() / 4);
  }

  /** Knuth, Morris and Pratt's table: the longest border of each prefix. */
  private static int[] borders(String part, Budget budget) {
    budget.text(2L * part.length());
    int[] borders = new int[part.length()];
    for (int i = 1, k = 0; i < borders.length; i++) {
      while (k > 0 && part.charAt(i) != part.charAt(k)) {
        k = borders[k - 1];
      }
      k += part.charAt(i) == part.charAt(k) ? 1 : 0;
      borders[i] = k;
    }
    return borders;
  }

  static String repeat(String text, long count, Budget budget) {
    if (count <= 0 || text.isEmpty()) {
      return "";
    }
    budget.text(count > Integer.MAX_VALUE ? Long.MAX_VALUE / 4 : count * text.length());
    return text.repeat((int) count);
  }

  static String replace(String text, String old, String fresh, long most, Budget budget) {
    long left = most < 0 ? Long.MAX_VALUE : most;
    StringBuilder out = new StringBuilder();
    int from = 0;
    if (old.isEmpty()) {
      // Between all characters, and at both ends.
      while (left-- > 0) {
        out.append(fresh);
        budget.step();
        if (from >= text.length()) {
          break;
        }
        int next = text.offsetByCodePoints(from, 1);
        out.append(text, from, next);
        from = next;
        budget.fits(out.length());
      }
      return done(out.append(text, from, text.length()), budget);
    }
    for (int at; left > 0 && (at = indexOf(text, old, from, budget)) >= 0; left--) {
      out.append(text, from, at).append(fresh);
      from = at + old.length();
      budget.fits(out.length());
    }
    return from == 0 ? text : done(out.append(text, from, text.length()), budget);
  }

  private static String done(StringBuilder out, Budget budget) {
    budget.text(out.length());
    return out.toString();
  }

  static List<Object> splitLines(String text, boolean keepEnds, Budget budget) {
    budget.text(text.length());
    List<Object> lines = new ArrayList<>();
    int start = 0;
    for (int i = 0; i < text.length(); i++) {
      if (isLineEnd(text.charAt(i))) {
        int end = text.startsWith("\r\n", i) ? i + 2 : i + 1;
        lines.add(text.substring(start, keepEnds ? end : i));
        start = end;
        i = end - 1;
      }
    }
    if (start < text.length()) {
      lines.add(text.substring(start));
    }
    budget.items(lines.size());
    return lines;
  }

  private static boolean isLineEnd(char c) {
    return (c >= 10 && c <= 13)
        || (c >= 0x1c && c <= 0x1e)
        || c == 0x85
        || c == 0x2028
        || c == 0x2029;
  }
}
