package io.trimtab.jinja;

import java.util.List;
import java.util.Locale;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/** The methods of Python's strings. */
final class TextMethods {
  private TextMethods() {}

  static @Nullable Object method(String text, String name, Budget budget) {
    return switch (name) {
      case "lower", "upper", "casefold", "capitalize", "title", "swapcase" ->
          plain(name, text, budget, () -> cased(text, name));
      case "strip", "lstrip", "rstrip" ->
          Callable.of(
              name,
              args -> {
                Args.Bound bound = args.bind(name, 0, "chars");
                String chars = bound.given(0) ? bound.text(0) : null;
                return strip(text, chars, !name.equals("rstrip"), !name.equals("lstrip"), budget);
              });
      case "split" -> Callable.of(name, args -> TextSplits.split(text, args, budget));
      case "rsplit" -> Callable.of(name, args -> TextSplits.splitFromEnd(text, args, budget));
      case "splitlines" ->
          Callable.of(
              name,
              args -> Strings.splitLines(text, args.bind(name, 0, "keepends").flag(0), budget));
      case "partition", "rpartition" ->
          Callable.of(
              name,
              args ->
                  TextSplits.partition(
                      text, args.bind(name, 1, "sep").text(0), name.equals("rpartition"), budget));
      case "startswith", "endswith" ->
          Callable.of(name, args -> affix(text, args, name.equals("startswith"), budget));
      case "removeprefix" ->
          Callable.of(
              name,
              args -> {
                String prefix = args.bind(name, 1, "prefix").text(0);
                budget.text(text.length());
                return text.startsWith(prefix) ? text.substring(prefix.length()) : text;
              });
      case "removesuffix" ->
          Callable.of(
              name,
              args -> {
                String suffix = args.bind(name, 1, "suffix").text(0);
                budget.text(text.length());
                return text.endsWith(suffix)
                    ? text.substring(0, text.length() - suffix.length())
                    : text;
              });
      case "replace" ->
          Callable.of(
              name,
              args -> {
                Args.Bound bound = args.bind(name, 2, "old", "new", "count");
                return Strings.replace(
                    text, bound.text(0), bound.text(1), bound.integer(2, -1), budget);
              });
      case "find", "index", "rfind", "rindex", "count" ->
          Callable.of(name, args -> TextSplits.search(text, name, args, budget));
      case "join" ->
          Callable.of(name, args -> join(text, args.bind(name, 1, "iterable").get(0), budget));
      case "center", "ljust", "rjust" ->
          Callable.of(
              name,
              args -> {
                Args.Bound bound = args.bind(name, 1, "width", "fillchar");
                String fill = bound.has(1) ? bound.text(1) : " ";
                if (fill.codePointCount(0, fill.length()) != 1) {
                  throw new JinjaException.WrongValue(
                      "The fill character must be exactly one character long");
                }
                return justify(text, bound.integer(0, 0), fill, name, budget);
              });
      case "zfill" ->
          Callable.of(
              name,
              args -> {
                boolean signed = text.startsWith("-") || text.startsWith("+");
                int width = args.bind(name, 1, "width").integer(0, 0) - (signed ? 1 : 0);
                String digits =
                    justify(signed ? text.substring(1) : text, width, "0", "rjust", budget);
                return signed ? text.charAt(0) + digits : digits;
              });
      case "expandtabs" ->
          Callable.of(
              name, args -> expandTabs(text, args.bind(name, 0, "tabsize").integer(0, 8), budget));
      case "format", "format_map" -> format(text, name, false, budget);
      case "isalpha" -> all(name, text, budget, Character::isLetter);
      case "isalnum" -> all(name, text, budget, c -> Character.isLetterOrDigit(c) || isNumeric(c));
      case "isdigit", "isdecimal" -> all(name, text, budget, Character::isDigit);
      case "isnumeric" -> all(name, text, budget, TextMethods::isNumeric);
      case "isspace" -> all(name, text, budget, Strings::isSpace);
      case "isascii" -> plain(name, text, budget, () -> text.chars().allMatch(c -> c < 128));
      case "islower", "isupper" ->
          plain(
              name,
              text,
              budget,
              () ->
                  text.codePoints()
                          .anyMatch(
                              name.equals("islower")
                                  ? Character::isLowerCase
                                  : Character::isUpperCase)
                      && text.codePoints()
                          .noneMatch(
                              c ->
                                  Character.isTitleCase(c)
                                      || (name.equals("islower")
                                          ? Character.isUpperCase(c)
                                          : Character.isLowerCase(c))));
      case "istitle" ->
          plain(
              name,
              text,
              budget,
              () ->
                  text.codePoints().anyMatch(Character::isLetter)
                      && cased(text, "title").equals(text));
      case "isidentifier" ->
          plain(
              name,
              text,
              budget,
              () ->
                  !text.isEmpty()
                      && (text.charAt(0) == '_'
                          || Character.isUnicodeIdentifierStart(text.codePointAt(0)))
                      && text.codePoints()
                          .allMatch(
                              c ->
                                  Character.isUnicodeIdentifierPart(c)
                                      && !Character.isIdentifierIgnorable(c)));
      default -> null;
    };
  }

  /** {@code format} or {@code format_map}; those of a marked text escape what they put in. */
  static Callable format(String text, String name, boolean marked, Budget budget) {
    return Callable.of(
        name,
        args -> {
          String made;
          if (name.equals("format")) {
            made = BraceFormat.format(text, args.positional(), args.named()::get, marked, budget);
          } else if (args.bind(name, 1, "mapping").get(0) instanceof Dict dict) {
            made =
                BraceFormat.format(text, List.of(), key -> dict.get(key, budget), marked, budget);
          } else {
            throw new JinjaException.WrongValue("expected a mapping for format_map");
          }
          return marked ? new Markup(made) : made;
        });
  }

  private static boolean isNumeric(int c) {
    int type = Character.getType(c);
    return type == Character.DECIMAL_DIGIT_NUMBER
        || type == Character.LETTER_NUMBER
        || type == Character.OTHER_NUMBER;
  }

  /** A method without arguments that looks at the whole text. */
  private static Callable plain(
      String name, String text, Budget budget, java.util.function.Supplier<Object> body) {
    return Callable.of(
        name,
        args -> {
          args.bind(name, 0);
          countLetters(text.length(), budget);
          return body.get();
        });
  }

  private static Callable all(String name, String text, Budget budget, IntPredicate test) {
    return plain(name, text, budget, () -> !text.isEmpty() && text.codePoints().allMatch(test));
  }

  /** Counts a pass over a text by its letters, whose tables take their time. */
  static void countLetters(int length, Budget budget) {
    budget.text(2L * length);
    budget.work(8L * length);
  }

  static String cased(String text, String how) {
    return switch (how) {
      case "lower" -> text.toLowerCase(Locale.ROOT);
      case "upper" -> text.toUpperCase(Locale.ROOT);
      case "casefold" -> text.toUpperCase(Locale.ROOT).toLowerCase(Locale.ROOT);
      case "capitalize" -> {
        int first = text.isEmpty() ? 0 : Character.charCount(text.codePointAt(0));
        yield text.isEmpty()
            ? ""
            : titleCase(text.codePointAt(0)) + text.substring(first).toLowerCase(Locale.ROOT);
      }
      default -> casedByLetter(text, how);
    };
  }

  private static String casedByLetter(String text, String how) {
    StringBuilder out = new StringBuilder(text.length());
    boolean start = true;
    String lower = text.toLowerCase(Locale.ROOT);
    for (int i = 0; i < text.length(); ) {
      int c = text.codePointAt(i);
      i += Character.charCount(c);
      if (how.equals("swapcase")) {
        String one = Character.toString(c);
        out.append(
            Character.isUpperCase(c) ? one.toLowerCase(Locale.ROOT) : one.toUpperCase(Locale.ROOT));
      } else {
        out.append(start ? titleCase(c) : lowerAt(text, lower, i, c));
        start = !(Character.isUpperCase(c) || Character.isLowerCase(c) || Character.isTitleCase(c));
      }
    }
    return out.toString();
  }

  private static String lowerAt(String text, String lower, int end, int c) {
    // A sigma at the end of a word has a form of its own, which only the whole text tells.
    return lower.length() == text.length()
        ? lower.substring(end - Character.charCount(c), end)
        : Character.toString(c).toLowerCase(Locale.ROOT);
  }

  private static String titleCase(int c) {
    int title = Character.toTitleCase(c);
    String upper = Character.toString(c).toUpperCase(Locale.ROOT);
    // Characters such as ß become several, of which the first is in upper case.
    return title == c && upper.codePointCount(0, upper.length()) > 1
        ? upper.charAt(0) + upper.substring(1).toLowerCase(Locale.ROOT)
        : Character.toString(title);
  }

  static String strip(
      String text, @Nullable String chars, boolean left, boolean right, Budget budget) {
    IntPredicate out =
        chars == null
            ? Strings::isSpace
            : c -> {
              budget.work(chars.length());
              return chars.indexOf(c) >= 0;
            };
    budget.work(text.length());
    int start = 0;
    int end = text.length();
    while (left && start < end && out.test(text.codePointAt(start))) {
      start += Character.charCount(text.codePointAt(start));
    }
    while (right && end > start && out.test(text.codePointBefore(end))) {
      end -= Character.charCount(text.codePointBefore(end));
    }
    budget.text(end - start);
    return text.substring(start, end);
  }

  private static Object affix(String text, Args args, boolean start, Budget budget) {
    Args.Bound bound = args.bind(start ? "startswith" : "endswith", 1, "affix", "start", "end");
    String part = text;
    if (bound.has(1)) {
      Object end = bound.get(2, None.NONE);
      part = (String) Attributes.slice(text, bound.get(1), end, None.NONE, budget);
    }
    List<Object> affixes =
        bound.get(0) instanceof Tuple tuple ? tuple.items() : List.of(bound.get(0));
    for (Object affix : affixes) {
      String wanted = Values.asText(affix);
      if (wanted == null) {
        throw new JinjaException.WrongValue(
            "expected a text or a tuple of texts, found a " + Values.type(affix));
      }
      budget.work(wanted.length());
      if (start ? part.startsWith(wanted) : part.endsWith(wanted)) {
        return true;
      }
    }
    return false;
  }

  static String join(String separator, Object iterable, Budget budget) {
    StringBuilder out = new StringBuilder();
    List<Object> parts = Values.items(iterable, budget);
    for (int i = 0; i < parts.size(); i++) {
      String part = Values.asText(parts.get(i));
      if (part == null) {
        throw new JinjaException.WrongValue(
            "sequence item "
                + i
                + ": expected str instance, "
                + Values.type(parts.get(i))
                + " found");
      }
      budget.fits((long) out.length() + separator.length() + part.length());
      out.append(i == 0 ? "" : separator).append(part);
      budget.step();
    }
    budget.text(out.length());
    return out.toString();
  }

  static String justify(String text, int width, String fill, String how, Budget budget) {
    budget.work(text.length());
    int length = text.codePointCount(0, text.length());
    int missing = Math.max(0, width - length);
    if (missing == 0) {
      return text;
    }
    budget.text((long) missing + text.length());
    int left =
        switch (how) {
          case "ljust" -> 0;
          case "rjust" -> missing;
          default -> missing / 2 + (missing & width & 1);
        };
    return Strings.repeat(fill, left, budget) + text + Strings.repeat(fill, missing - left, budget);
  }

  private static String expandTabs(String text, int size, Budget budget) {
    budget.work(4L * text.length());
    StringBuilder out = new StringBuilder();
    int column = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '\t') {
        int blanks = size <= 0 ? 0 : size - column % size;
        out.append(Strings.repeat(" ", blanks, budget));
        column += blanks;
        budget.fits(out.length());
      } else {
        out.append(c);
        column = c == '\n' || c == '\r' ? 0 : column + (Character.isLowSurrogate(c) ? 0 : 1);
      }
    }
    budget.text(out.length());
    return out.toString();
  }
}
