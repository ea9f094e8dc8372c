package io.trimtab.jinja;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Python's strings are sequences of code points; here is what that changes. */
final class Strings {
  private static final int SHORT = 16;
  private static final String[] ASCII = new String[128];

  static {
    Arrays.setAll(ASCII, Character::toString);
  }

  private Strings() {}

  /** What {@code str.isspace} and {@code \s} mean. */
  static boolean isSpace(int c) {
    return (c >= 9 && c <= 13)
        || (c >= 0x1c && c <= 0x20)
        || c == 0x85
        || (c > 127 && Character.isSpaceChar(c));
  }

  /** The string of one character; those of ASCII are shared. */
  static String character(int c) {
    return c < ASCII.length ? ASCII[c] : Character.toString(c);
  }

  static String stripEnd(String text) {
    return text.substring(0, stripped(text, text.length()));
  }

  /** Where the whitespace before {@code end} begins. */
  static int stripped(String text, int end) {
    int at = end;
    while (at > 0 && isSpace(text.charAt(at - 1))) {
      at--;
    }
    return at;
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
    budget.work(text.length() - from);
    int[] borders = borders(part, budget);
    int matched = 0;
    for (int i = Math.max(0, from); i < text.length(); i++) {
      while (matched > 0 && text.charAt(i) != part.charAt(matched)) {
        matched = borders[matched - 1];
      }
      if (text.charAt(i) == part.charAt(matched) && ++matched == part.length()) {
        return i - part.length() + 1;
      }
    }
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
        budget.fits((long) out.length() + fresh.length());
        out.append(fresh);
        budget.step();
        if (from >= text.length()) {
          break;
        }
        int next = text.offsetByCodePoints(from, 1);
        out.append(text, from, next);
        from = next;
      }
      return done(out.append(text, from, text.length()), budget);
    }
    for (int at; left > 0 && (at = indexOf(text, old, from, budget)) >= 0; left--) {
      budget.fits((long) out.length() + at - from + fresh.length());
      out.append(text, from, at).append(fresh);
      from = at + old.length();
    }
    return from == 0 ? text : done(out.append(text, from, text.length()), budget);
  }

  private static String done(StringBuilder out, Budget budget) {
    budget.text(out.length());
    return out.toString();
  }

  static List<Object> splitLines(String text, boolean keepEnds, Budget budget) {
    budget.work(text.length());
    List<Object> lines = new ArrayList<>();
    int start = 0;
    for (int i = 0; i < text.length(); i++) {
      if (isLineEnd(text.charAt(i))) {
        int end = text.startsWith("\r\n", i) ? i + 2 : i + 1;
        lines.add(part(text, start, keepEnds ? end : i, budget));
        start = end;
        i = end - 1;
      }
    }
    if (start < text.length()) {
      lines.add(part(text, start, text.length(), budget));
    }
    return lines;
  }

  /** One of many parts that a text is cut into. */
  static String part(String text, int start, int end, Budget budget) {
    budget.text(end - start);
    return text.substring(start, end);
  }

  private static boolean isLineEnd(char c) {
    return (c >= 10 && c <= 13)
        || (c >= 0x1c && c <= 0x1e)
        || c == 0x85
        || c == 0x2028
        || c == 0x2029;
  }
}
