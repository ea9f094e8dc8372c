package io.trimtab.jinja;

import java.util.List;
import java.util.Set;

/** Python's {@code text % values}. */
final class PercentFormat {
  private final String format;
  private final Object values;
  private final List<Object> sequence;
  private final boolean escaping;
  private final Budget budget;
  private final StringBuilder out = new StringBuilder();
  private int at;
  private int used;

  private PercentFormat(String format, Object values, boolean escaping, Budget budget) {
    this.format = format;
    this.escaping = escaping;
    this.values = values;
    this.sequence = values instanceof Tuple tuple ? tuple.items() : List.of(values);
    this.budget = budget;
  }

  /**
   * The text with its values.
   *
   * @param escaping whether the text is marked, so that the values are to be escaped
   */
  static String format(String format, Object values, boolean escaping, Budget budget) {
    PercentFormat formatter = new PercentFormat(format, values, escaping, budget);
    budget.work(format.length());
    formatter.run();
    budget.text(formatter.out.length());
    return formatter.out.toString();
  }

  private void run() {
    boolean named = false;
    while (at < format.length()) {
      int percent = format.indexOf('%', at);
      if (percent < 0) {
        break;
      }
      out.append(format, at, percent);
      at = percent + 1;
      named |= directive();
      budget.step();
    }
    out.append(format, Math.min(at, format.length()), format.length());
    if (used < sequence.size()
        && !named
        && (values instanceof Tuple || !(values instanceof Dict || values instanceof List))) {
      throw new JinjaException.WrongValue("not all arguments converted during string formatting");
    }
  }

  /** One directive behind its percent sign; whether it named its value. */
  private boolean directive() {
    Object value = null;
    if (peek() == '(') {
      int close = closing();
      String key = format.substring(at + 1, close);
      at = close + 1;
      if (!(values instanceof Dict dict)) {
        throw new JinjaException.WrongValue("format requires a mapping");
      }
      value = dict.get(key, budget);
      if (value == null) {
        throw new JinjaException.WrongValue("no key " + Repr.shown(key) + " to format");
      }
    }
    boolean named = value != null;
    int start = at;
    while ("-+ #0".indexOf(peek()) >= 0) {
      at++;
    }
    String flags = format.substring(start, at);
    int width = count();
    boolean left = flags.indexOf('-') >= 0 || width < 0;
    int precision = -1;
    if (peek() == '.') {
      at++;
      precision = Math.max(0, count());
    }
    while ("hlL".indexOf(peek()) >= 0) {
      at++;
    }
    char type = peek();
    at++;
    if (type == '%') {
      out.append('%');
      return named;
    }
    Object shown = value != null ? value : next();
    pad(
        converted(shown, type, flags, precision),
        Math.abs(width),
        left,
        flags.indexOf('0') >= 0 && "sra".indexOf(type) < 0);
    return named;
  }

  private int closing() {
    int depth = 0;
    for (int i = at; i < format.length(); i++) {
      depth += format.charAt(i) == '(' ? 1 : format.charAt(i) == ')' ? -1 : 0;
      if (depth == 0) {
        return i;
      }
    }
    throw new JinjaException.WrongValue("incomplete format key");
  }

  private char peek() {
    if (at >= format.length()) {
      throw new JinjaException.WrongValue("incomplete format");
    }
    return format.charAt(at);
  }

  private int count() {
    if (peek() == '*') {
      at++;
      return Numbers.index(next(), "a width");
    }
    int start = at;
    while (peek() >= '0' && peek() <= '9') {
      at++;
    }
    if (at - start > 8) {
      throw Budget.exceeded("99999999 characters of width");
    }
    return start == at ? 0 : Integer.parseInt(format.substring(start, at));
  }

  private Object next() {
    if (used >= sequence.size()) {
      throw new JinjaException.WrongValue("not enough arguments for format string");
    }
    return sequence.get(used++);
  }

  private String converted(Object value, char type, String flags, int precision) {
    return switch (type) {
      case 's', 'r', 'a' -> {
        String text = shown(value, type);
        budget.work(text.length());
        int length = text.codePointCount(0, text.length());
        yield precision >= 0 && precision < length
            ? text.substring(0, text.offsetByCodePoints(0, precision))
            : text;
      }
      case 'c' -> NumberFormat.character(value);
      case 'd', 'i', 'u', 'x', 'X', 'o' -> {
        Object number = number(value, type);
        if (number instanceof Double real) {
          if (Set.of('x', 'X', 'o').contains(type)) {
            throw new JinjaException.WrongValue(
                "%" + type + " format: an integer is required, not float");
          }
          number = Numbers.toInteger(real);
        }
        var big = Numbers.big(number);
        String digits = NumberFormat.integer(big.abs(), type, budget);
        String prefix = flags.indexOf('#') >= 0 && "xXo".indexOf(type) >= 0 ? "0" + type : "";
        digits = Strings.repeat("0", (long) precision - digits.length(), budget) + digits;
        yield sign(big.signum() < 0, flags) + prefix + digits;
      }
      case 'e', 'E', 'f', 'F', 'g', 'G' -> {
        double real = Numbers.real(number(value, type));
        boolean negative = real < 0 || (real == 0 && 1 / real < 0);
        String digits =
            NumberFormat.real(
                Math.abs(real),
                type,
                precision < 0 ? 6 : precision,
                flags.indexOf('#') >= 0,
                budget);
        yield sign(negative, flags) + digits;
      }
      default -> throw new JinjaException.WrongValue("unsupported format character '" + type + "'");
    };
  }

  private String shown(Object value, char type) {
    if (escaping && type == 's') {
      return Markup.escape(value, budget).text();
    }
    String text =
        switch (type) {
          case 's' -> Repr.string(value, budget);
          case 'r' -> Repr.repr(value, budget);
          default -> Repr.ascii(value, budget);
        };
    return escaping && type == 'r' ? Markup.escapeText(text, budget) : text;
  }

  private static Object number(Object value, char type) {
    if (value instanceof Undefined undefined) {
      throw undefined.used();
    }
    if (!Numbers.isNumber(value)) {
      throw new JinjaException.WrongValue(
          "%" + type + " format: a real number is required, not " + Values.type(value));
    }
    return value;
  }

  private static String sign(boolean negative, String flags) {
    return negative ? "-" : flags.indexOf('+') >= 0 ? "+" : flags.indexOf(' ') >= 0 ? " " : "";
  }

  private void pad(String text, int width, boolean left, boolean zeros) {
    budget.work(text.length());
    int missing = width - text.codePointCount(0, text.length());
    budget.fits((long) out.length() + text.length() + Math.max(0, missing));
    if (missing <= 0) {
      out.append(text);
    } else if (left) {
      out.append(text).append(Strings.repeat(" ", missing, budget));
    } else if (zeros) {
      int digits = 0;
      while (digits < text.length() && "+- ".indexOf(text.charAt(digits)) >= 0) {
        digits++;
      }
      if (text.startsWith("0x", digits)
          || text.startsWith("0X", digits)
          || text.startsWith("0o", digits)) {
        digits += 2;
      }
      out.append(text, 0, digits).append(Strings.repeat("0", missing, budget));
      out.append(text, digits, text.length());
    } else {
      out.append(Strings.repeat(" ", missing, budget)).append(text);
    }
  }
}
