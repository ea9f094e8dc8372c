package io.trimtab.jinja;

import java.util.List;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Python's {@code text.format(…)}, with lookups as the templates' own. */
final class BraceFormat {
  private static final Pattern SPEC =
      Pattern.compile(
          "(?:(.)?([<>=^]))?([-+ ])?(z)?(#)?(0)?(\\d{1,9})?([,_])?(?:\\.(\\d{1,9}))?([a-zA-Z%])?",
          Pattern.DOTALL);

  private final List<Object> positional;
  private final Function<String, @Nullable Object> named;
  private final boolean escaping;
  private final Budget budget;
  private int automatic;

  private BraceFormat(
      List<Object> positional,
      Function<String, @Nullable Object> named,
      boolean escaping,
      Budget budget) {
    this.positional = positional;
    this.named = named;
    this.escaping = escaping;
    this.budget = budget;
  }

  /**
   * The text with its values.
   *
   * @param escaping whether the text is marked, so that the values are to be escaped
   */
  static String format(
      String format,
      List<Object> positional,
      Function<String, @Nullable Object> named,
      boolean escaping,
      Budget budget) {
    String text = new BraceFormat(positional, named, escaping, budget).expand(format, 2);
    budget.text(text.length());
    return text;
  }

  private String expand(String format, int levels) {
    if (levels < 0) {
      throw new JinjaException.WrongValue("Max string recursion exceeded");
    }
    budget.work(4L * format.length());
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < format.length(); i++) {
      char c = format.charAt(i);
      boolean doubled = i + 1 < format.length() && format.charAt(i + 1) == c;
      if ((c == '{' || c == '}') && doubled) {
        out.append(c);
        i++;
      } else if (c == '}') {
        throw new JinjaException.WrongValue("Single '}' encountered in format string");
      } else if (c == '{') {
        int close = closing(format, i);
        String field = field(format.substring(i + 1, close), levels);
        budget.fits((long) out.length() + field.length());
        out.append(field);
        i = close;
      } else {
        out.append(c);
      }
    }
    return out.toString();
  }

  private static int closing(String format, int open) {
    int depth = 0;
    for (int i = open; i < format.length(); i++) {
      depth += format.charAt(i) == '{' ? 1 : format.charAt(i) == '}' ? -1 : 0;
      if (depth == 0) {
        return i;
      }
    }
    throw new JinjaException.WrongValue("expected '}' before end of string");
  }

  private String field(String field, int levels) {
    budget.text(field.length());
    int end = 0;
    int brackets = 0;
    while (end < field.length()
        && (brackets > 0 || (field.charAt(end) != '!' && field.charAt(end) != ':'))) {
      brackets += field.charAt(end) == '[' ? 1 : field.charAt(end) == ']' ? -1 : 0;
      end++;
    }
    Object value = lookup(field.substring(0, end));
    if (end < field.length() && field.charAt(end) == '!') {
      char conversion = end + 1 < field.length() ? field.charAt(end + 1) : ' ';
      value =
          switch (conversion) {
            case 's' -> Repr.string(value, budget);
            case 'r' -> Repr.repr(value, budget);
            case 'a' -> Repr.ascii(value, budget);
            default ->
                throw new JinjaException.WrongValue("unknown conversion '" + conversion + "'");
          };
      end += 2;
      if (end < field.length() && field.charAt(end) != ':') {
        throw new JinjaException.WrongValue("expected ':' after conversion specifier");
      }
    }
    String spec = end < field.length() ? expand(field.substring(end + 1), levels - 1) : "";
    if (escaping && value instanceof Markup markup) {
      if (!spec.isEmpty()) {
        throw new JinjaException.WrongValue("Unsupported format specification for Markup.");
      }
      return markup.text();
    }
    String text = spec.isEmpty() ? Repr.string(value, budget) : formatted(value, spec);
    return escaping ? Markup.escapeText(text, budget) : text;
  }

  private Object lookup(String path) {
    int end = 0;
    while (end < path.length() && path.charAt(end) != '.' && path.charAt(end) != '[') {
      end++;
    }
    Object value = first(path.substring(0, end));
    while (end < path.length()) {
      budget.step();
      int start = end + 1;
      if (path.charAt(end) == '.') {
        end = start;
        while (end < path.length() && path.charAt(end) != '.' && path.charAt(end) != '[') {
          end++;
        }
        value = Attributes.attribute(value, path.substring(start, end), budget);
      } else {
        end = path.indexOf(']', start);
        if (end < 0) {
          throw new JinjaException.WrongValue("Missing ']' in format string");
        }
        String key = path.substring(start, end);
        value = Attributes.item(value, isIndex(key) ? (Object) Long.valueOf(key) : key, budget);
        end++;
      }
    }
    return value;
  }

  private Object first(String name) {
    if (name.isEmpty() || isIndex(name)) {
      int index = name.isEmpty() ? automatic++ : Integer.parseInt(name);
      if (index >= positional.size()) {
        throw new JinjaException.WrongValue(
            "Replacement index " + index + " out of range for positional args tuple");
      }
      return positional.get(index);
    }
    budget.work(name.length());
    Object value = named.apply(name);
    if (value == null) {
      throw new JinjaException.WrongValue("no argument " + Repr.shown(name) + " to format");
    }
    return value;
  }

  private static boolean isIndex(String text) {
    return !text.isEmpty()
        && text.length() < 10
        && text.chars().allMatch(c -> c >= '0' && c <= '9');
  }

  private String formatted(Object value, String spec) {
    Matcher m = SPEC.matcher(spec);
    if (!m.matches()) {
      throw new JinjaException.WrongValue("Invalid format specifier " + Repr.shown(spec));
    }
    boolean number = Numbers.isNumber(value);
    String body = number ? number(value, m) : text(value, m);
    int width = m.group(7) == null ? 0 : Integer.parseInt(m.group(7));
    String fill = m.group(1) != null ? m.group(1) : m.group(6) != null ? "0" : " ";
    String align =
        m.group(2) != null ? m.group(2) : m.group(6) != null && number ? "=" : number ? ">" : "<";
    budget.work(body.length());
    int missing = width - body.codePointCount(0, body.length());
    if (missing <= 0) {
      return body;
    }
    int left =
        switch (align) {
          case "<" -> 0;
          case "^" -> missing / 2;
          default -> missing;
        };
    if (align.equals("=")) {
      int sign = !body.isEmpty() && "+- ".indexOf(body.charAt(0)) >= 0 ? 1 : 0;
      return body.substring(0, sign) + Strings.repeat(fill, missing, budget) + body.substring(sign);
    }
    return Strings.repeat(fill, left, budget) + body + Strings.repeat(fill, missing - left, budget);
  }

  private String text(Object value, Matcher m) {
    String text = Values.asText(value);
    if (text == null
        || m.group(3) != null
        || m.group(4) != null
        || m.group(5) != null
        || m.group(8) != null
        || (m.group(10) != null && !m.group(10).equals("s"))
        || "=".equals(m.group(2))) {
      throw new JinjaException.WrongValue(
          "format specifier not supported for " + Values.type(value));
    }
    int most = m.group(9) == null ? Integer.MAX_VALUE : Integer.parseInt(m.group(9));
    budget.work(text.length());
    return text.codePointCount(0, text.length()) <= most
        ? text
        : text.substring(0, text.offsetByCodePoints(0, most));
  }

  private String number(Object value, Matcher m) {
    String given = m.group(10);
    boolean integer = Numbers.isInteger(value);
    char type = given != null ? given.charAt(0) : integer ? 'd' : 'r';
    boolean negative = Numbers.compare(value, 0L) < 0;
    String digits;
    if (integer && "dboxXcn".indexOf(type) >= 0) {
      refuse(m, 9, "Precision not allowed in integer format specifier");
      refuse(
          m,
          4,
          "Negative zero coercion (z) not allowed in format specifier with integer"
              + " presentation type");
      if (",".equals(m.group(8)) ? type != 'd' : type == 'c' || type == 'n') {
        refuse(m, 8, "Cannot specify '" + m.group(8) + "' with '" + type + "'.");
      }
      if (type == 'c') {
        refuse(m, 3, "Sign not allowed with integer format specifier 'c'");
        refuse(m, 5, "Alternate form (#) not allowed with integer format specifier 'c'");
        return NumberFormat.character(value);
      }
      digits = NumberFormat.integer(Numbers.big(value).abs(), type == 'n' ? 'd' : type, budget);
      digits =
          (m.group(5) != null && type != 'd' ? "0" + type : "") + grouped(digits, m.group(8), type);
    } else {
      double real = Numbers.real(value);
      negative = real < 0 || (real == 0 && 1 / real < 0);
      int precision = m.group(9) == null ? -1 : Integer.parseInt(m.group(9));
      digits =
          switch (type) {
            case 'r' ->
                precision < 0
                    ? Repr.real(Math.abs(real))
                    : likeRepr(NumberFormat.real(Math.abs(real), 'g', precision, false, budget));
            case '%' ->
                NumberFormat.real(
                        Math.abs(real) * 100, 'f', precision < 0 ? 6 : precision, false, budget)
                    + "%";
            case 'e', 'E', 'f', 'F', 'g', 'G', 'n' ->
                NumberFormat.real(
                    Math.abs(real),
                    type == 'n' ? 'g' : type,
                    precision < 0 ? 6 : precision,
                    m.group(5) != null,
                    budget);
            default ->
                throw new JinjaException.WrongValue(
                    "Unknown format code '"
                        + type
                        + "' for object of type '"
                        + Values.type(value)
                        + "'");
          };
      digits = grouped(digits, m.group(8), 'd');
      if (m.group(4) != null && digits.chars().noneMatch(c -> c >= '1' && c <= '9')) {
        negative &= Double.isInfinite(real);
      }
    }
    String sign = negative ? "-" : m.group(3) == null || m.group(3).equals("-") ? "" : m.group(3);
    return sign + digits;
  }

  private static void refuse(Matcher m, int group, String reason) {
    if (m.group(group) != null) {
      throw new JinjaException.WrongValue(reason);
    }
  }

  /** Without a type, at least one digit stands behind the point. */
  private static String likeRepr(String digits) {
    return digits.indexOf('.') < 0 && digits.indexOf('e') < 0 && digits.indexOf('n') < 0
        ? digits + ".0"
        : digits;
  }

  private static String grouped(String digits, @Nullable String separator, char type) {
    if (separator == null) {
      return digits;
    }
    int end = 0;
    while (end < digits.length()
        && Character.digit(digits.charAt(end), 16) >= 0
        && (type != 'd' || digits.charAt(end) <= '9')) {
      end++;
    }
    int size = type == 'd' ? 3 : 4;
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < end; i++) {
      out.append(i > 0 && (end - i) % size == 0 ? separator : "").append(digits.charAt(i));
    }
    return out.append(digits, end, digits.length()).toString();
  }
}
