package io.trimtab.jinja;

import java.math.BigInteger;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The filters that make numbers, and those for any value. */
final class NumberFilters {
  private NumberFilters() {}

  static void register(Map<String, Filters.Body> all) {
    all.put("abs", (input, args, evaluator) -> abs(input, args, evaluator.budget()));
    all.put("int", NumberFilters::integer);
    all.put("float", NumberFilters::real);
    all.put("round", NumberFilters::round);
    all.put("filesizeformat", NumberFilters::fileSize);
    for (String name : new String[] {"default", "d"}) {
      all.put(
          name,
          (input, args, evaluator) -> {
            Args.Bound bound = args.bind(name, 0, "default_value", "boolean");
            boolean missing = input instanceof Undefined || (bound.flag(1) && !Values.truth(input));
            return missing ? bound.get(0, "") : input;
          });
    }
    all.put(
        "attr",
        (input, args, evaluator) -> {
          String name = args.bind("attr", 1, "name").text(0);
          // Unlike a dot, the filter never takes an item for an attribute.
          return Attributes.attribute(
              input instanceof Dict ? new Dict() : input, name, evaluator.budget());
        });
  }

  private static Object abs(Object input, Args args, Budget budget) {
    args.bind("abs", 0);
    Numbers.count(input, input, budget);
    if (!Numbers.isNumber(input)) {
      throw Values.unsupported("abs()", input, input);
    }
    return input instanceof Double real
        ? (Object) Math.abs(real)
        : Numbers.normal(Numbers.big(input).abs());
  }

  private static Object integer(Object input, Args args, Evaluator evaluator) {
    Args.Bound bound = args.bind("int", 0, "default", "base");
    if (input instanceof Undefined undefined) {
      throw undefined.used();
    }
    Object fallback = bound.get(0, 0L);
    String text = Values.asText(input);
    if (text != null) {
      evaluator.budget().text(4L * text.length());
      Numbers.count(4L * Math.min(text.length(), Numbers.MAX_DIGITS), evaluator.budget());
      BigInteger parsed = parseInteger(text, bound.integer(1, 10));
      if (parsed != null) {
        return Numbers.normal(parsed);
      }
      Double real = parseReal(text);
      return real == null || real.isNaN() || real.isInfinite() ? fallback : Numbers.toInteger(real);
    }
    if (input instanceof Double real) {
      return real.isNaN() || real.isInfinite() ? fallback : Numbers.toInteger(real);
    }
    return Numbers.isNumber(input) ? Numbers.normal(Numbers.big(input)) : fallback;
  }

  /** Python's {@code int(text, base)}; null where it would raise. */
  private static @Nullable BigInteger parseInteger(String text, int base) {
    String digits = stripped(text).toLowerCase(Locale.ROOT);
    boolean negative = digits.startsWith("-");
    if (negative || digits.startsWith("+")) {
      digits = digits.substring(1);
    }
    int radix = base;
    for (Map.Entry<String, Integer> prefix : Map.of("0x", 16, "0o", 8, "0b", 2).entrySet()) {
      if (digits.startsWith(prefix.getKey()) && (base == prefix.getValue() || base == 0)) {
        digits = digits.substring(2);
        radix = prefix.getValue();
      }
    }
    if (radix == 0) {
      radix = 10;
    }
    boolean wrong =
        digits.isEmpty() || digits.startsWith("_") || digits.endsWith("_") || digits.contains("__");
    digits = digits.replace("_", "");
    int allowed = radix;
    if (wrong
        || radix < 2
        || radix > 36
        || digits.length() > Numbers.MAX_DIGITS
        || !digits.codePoints().allMatch(c -> digit(c, allowed) >= 0)) {
      return null;
    }
    StringBuilder ascii = new StringBuilder();
    digits.codePoints().forEach(c -> ascii.append(Character.forDigit(digit(c, allowed), allowed)));
    BigInteger value = new BigInteger(ascii.toString(), radix);
    return negative ? value.negate() : value;
  }

  /** The value of a digit of any script, or of a letter of ASCII; negative for anything else. */
  private static int digit(int c, int radix) {
    return c < 128 || Character.isDigit(c) ? Character.digit(c, radix) : -1;
  }

  private static String stripped(String text) {
    int start = 0;
    while (start < text.length() && Strings.isSpace(text.charAt(start))) {
      start++;
    }
    return Strings.stripEnd(text.substring(start));
  }

  /** Python's {@code float(text)}; null where it would raise. */
  private static @Nullable Double parseReal(String text) {
    String number = stripped(text);
    String lower = number.toLowerCase(Locale.ROOT).replaceFirst("^[+-]", "");
    boolean negative = number.startsWith("-");
    if (lower.equals("inf") || lower.equals("infinity")) {
      return negative ? Double.NEGATIVE_INFINITY : Double.POSITIVE_INFINITY;
    }
    if (lower.equals("nan")) {
      return Double.NaN;
    }
    // Possessive, so that a long text of digits is looked at once.
    if (number.length() > 10_000
        || !number.matches(
            "[+-]?(?:\\d++(?:_\\d++)*+\\.?+(?:\\d++(?:_\\d++)*+)?+|\\.\\d++(?:_\\d++)*+)(?:[eE][+-]?\\d++)?")) {
      return null;
    }
    return Double.valueOf(number.replace("_", ""));
  }

  private static Object real(Object input, Args args, Evaluator evaluator) {
    Object fallback = args.bind("float", 0, "default").get(0, 0.0);
    if (input instanceof Undefined undefined) {
      throw undefined.used();
    }
    String text = Values.asText(input);
    if (text != null) {
      evaluator.budget().text(4L * text.length());
      Double real = parseReal(text);
      return real == null ? fallback : real;
    }
    return Numbers.isNumber(input) ? Numbers.real(input) : fallback;
  }

  private static Object round(Object input, Args args, Evaluator evaluator) {
    Args.Bound bound = args.bind("round", 0, "precision", "method");
    int precision = bound.integer(0, 0);
    Budget budget = evaluator.budget();
    String method = bound.has(1) ? bound.text(1) : "common";
    if (input instanceof Undefined undefined) {
      throw undefined.used();
    }
    if (!Numbers.isNumber(input)) {
      throw new JinjaException.WrongValue(
          "expected a number to round, found a " + Values.type(input));
    }
    budget.work(4096);
    Numbers.count(input, input, budget);
    return switch (method) {
      case "common" -> Numbers.round(input, precision);
      case "ceil", "floor" -> {
        Object scale = Operators.arithmetic("**", 10L, (long) precision, budget);
        double scaled = Numbers.real(Operators.arithmetic("*", input, scale, budget));
        Object whole =
            Numbers.toInteger(method.equals("ceil") ? Math.ceil(scaled) : Math.floor(scaled));
        yield Operators.arithmetic("/", whole, scale, budget);
      }
      default -> throw new JinjaException.WrongValue("method must be common, ceil or floor");
    };
  }

  private static Object fileSize(Object input, Args args, Evaluator evaluator) {
    boolean binary = args.bind("filesizeformat", 0, "binary").flag(0);
    Budget budget = evaluator.budget();
    String text = Values.asText(input);
    budget.text(text == null ? 0 : 4L * text.length());
    Double parsed = text == null ? null : parseReal(text);
    if (parsed == null && !Numbers.isNumber(input)) {
      throw new JinjaException.WrongValue(
          "could not convert to float: " + Undefined.shown(Repr.string(input, budget)));
    }
    double bytes = parsed != null ? parsed : Numbers.real(input);
    double base = binary ? 1024 : 1000;
    if (bytes == 1) {
      return "1 Byte";
    }
    if (bytes < base) {
      return Numbers.toInteger(bytes) + " Bytes";
    }
    double unit = base * base;
    int prefix = 0;
    while (bytes >= unit && prefix < 7) {
      unit *= base;
      prefix++;
    }
    String letter = binary ? "KMGTPEZY" : "kMGTPEZY";
    return NumberFormat.real(base * bytes / unit, 'f', 1, false, budget)
        + " "
        + letter.charAt(prefix)
        + (binary ? "iB" : "B");
  }
}
