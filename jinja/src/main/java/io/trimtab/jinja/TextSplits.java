package io.trimtab.jinja;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** The methods of Python's strings that search and divide. */
final class TextSplits {
  private TextSplits() {}

  static List<Object> split(String text, Args args, Budget budget) {
    Args.Bound bound = args.bind("split", 0, "sep", "maxsplit");
    long left = bound.integer(1, -1);
    left = left < 0 ? Long.MAX_VALUE : left;
    budget.work(text.length());
    List<Object> parts = new ArrayList<>();
    if (!bound.given(0)) {
      int at = skip(text, 0, true);
      while (at < text.length()) {
        int end = left-- > 0 ? skip(text, at, false) : text.length();
        parts.add(Strings.part(text, at, end, budget));
        at = skip(text, end, true);
      }
      return parts;
    }
    String separator = separator(bound.text(0));
    int from = 0;
    for (int at; left > 0 && (at = Strings.indexOf(text, separator, from, budget)) >= 0; left--) {
      parts.add(Strings.part(text, from, at, budget));
      from = at + separator.length();
    }
    parts.add(Strings.part(text, from, text.length(), budget));
    return parts;
  }

  private static int skip(String text, int from, boolean space) {
    int at = from;
    while (at < text.length() && Strings.isSpace(text.charAt(at)) == space) {
      at++;
    }
    return at;
  }

  private static String separator(String separator) {
    if (separator.isEmpty()) {
      throw new JinjaException.WrongValue("empty separator");
    }
    return separator;
  }

  static List<Object> splitFromEnd(String text, Args args, Budget budget) {
    Args.Bound bound = args.bind("rsplit", 0, "sep", "maxsplit");
    long left = bound.integer(1, -1);
    if (left < 0) {
      return split(text, args, budget);
    }
    budget.work(text.length());
    List<Object> parts = new ArrayList<>();
    int end = text.length();
    if (!bound.given(0)) {
      end = Strings.stripped(text, end);
      while (end > 0) {
        int start = end;
        while (start > 0 && !Strings.isSpace(text.charAt(start - 1))) {
          start--;
        }
        if (left-- <= 0) {
          start = 0;
        }
        parts.add(Strings.part(text, start, end, budget));
        end = Strings.stripped(text, start);
      }
    } else {
      String separator = separator(bound.text(0));
      for (int at;
          left > 0 && (at = Strings.lastIndexOf(text, separator, end, budget)) >= 0;
          left--) {
        parts.add(Strings.part(text, at + separator.length(), end, budget));
        end = at;
      }
      parts.add(Strings.part(text, 0, end, budget));
    }
    Collections.reverse(parts);
    return parts;
  }

  static Tuple partition(String text, String separator, boolean last, Budget budget) {
    separator(separator);
    budget.text(text.length());
    budget.objects(3);
    int at =
        last
            ? Strings.lastIndexOf(text, separator, text.length(), budget)
            : Strings.indexOf(text, separator, 0, budget);
    if (at < 0) {
      return last ? Tuple.of("", "", text) : Tuple.of(text, "", "");
    }
    return Tuple.of(text.substring(0, at), separator, text.substring(at + separator.length()));
  }

  /** {@code find}, {@code index}, {@code rfind}, {@code rindex} and {@code count}. */
  static Object search(String text, String name, Args args, Budget budget) {
    Args.Bound bound = args.bind(name, 1, "sub", "start", "end");
    String part = bound.text(0);
    String within = text;
    long offset = 0;
    if (bound.has(1)) {
      Object end = bound.get(2, None.NONE);
      within = (String) Attributes.slice(text, bound.get(1), end, None.NONE, budget);
      budget.work(text.length());
      long size = text.codePointCount(0, text.length());
      long start = bound.given(1) ? Numbers.index(bound.get(1), name) : 0;
      offset = start < 0 ? Math.max(0, start + size) : start;
    }
    if (name.equals("count")) {
      if (part.isEmpty()) {
        budget.work(within.length());
        return (long) within.codePointCount(0, within.length()) + 1;
      }
      long count = 0;
      for (int at = 0; (at = Strings.indexOf(within, part, at, budget)) >= 0; at += part.length()) {
        count++;
      }
      return count;
    }
    int found =
        name.startsWith("r")
            ? Strings.lastIndexOf(within, part, within.length(), budget)
            : Strings.indexOf(within, part, 0, budget);
    if (found < 0 && name.endsWith("index")) {
      throw new JinjaException.WrongValue("substring not found");
    }
    return found < 0 ? -1L : offset + within.codePointCount(0, found);
  }
}
