package io.trimtab.jinja;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Python's {@code text.format(…)}, with lookups as the templates' own. */
final class BraceFormat {
  private static final Pattern SPEC =
      Pattern.compile(
          "(?:(.)?([<>=^]))?([-+ ])?(z)?(#)?(0)?(\\d{1,9})?([,_])?(?:\\.(\\d{1,9}))?([a-zA-Z%])?",
          Pattern.DOTALL);

  private final Args args;
  private final Budget budget;
  private int automatic;

  private BraceFormat(Args args, Budget budget) {
    this.args = args;
    this.budget = budget;
  }

  static String format(String format, Args args, Budget budget) {
    String text = new BraceFormat(args, budget).expand(format, 2);
    budget.text(text.length());
    return text;
  }

  private String expand(String format, int levels) {
    if (levels < 0) {
      throw new JinjaException.WrongValue("Max string recursion exceeded");
    }
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
        out.append(field(format.substring(i + 1, close), levels));
        i = close;
      } else {
        out.append(c);
      }
      budget.fits(out.length());
    }
    budget.work(format.length());
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
            case 'r', 'a' -> Repr.repr(value, budget);
            default ->
                throw new JinjaException.WrongValue("unknown conversion '" + conversion + "'");
          };
      end += 2;
      if (end < field.length() && field.charAt(end) != ':') {
        throw new JinjaException.WrongValue("expected ':' after conversion specifier");
      }
    }
    String spec = end < field.length() ? expand(field.substring(end + 1), levels - 1) : "";
    return spec.isEmpty() ? Repr.string(value, budget) : formatted(value, spec);
  }

  private Object lookup(String path) {
    int end = 0;
    while (end < path.length() && path.charAt(end) != '.' && path.charAt(end) != '[') {
      end++;
    }
    Object value = first(path.substring(0, end));
    while (end < path.length()) {
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
        value =
            Attributes.item(
                value, key.matches("\\d{1,9}") ? (Object) Long.valueOf(key) : key, budget);
        end++;
      }
    }
    return value;
  }

  private Object first(String name) {
    if (name.isEmpty() || name.matches("\\d{1,9}")) {
      int index = name.isEmpty() ? automatic++ : Integer.parseInt(name);
      if (index >= args.positional().size()) {
        throw new JinjaException.WrongValue(
            "Replacement index " + index + " out of range for positional args tuple");
      }
      return args.positional().get(index);
    }
    Object value = args.named().get(name);
    if (value == null) {
      throw new JinjaException.WrongValue("no argument " + Repr.text(name) + " to format");
    }
    return value;
  }

  private String formatted(Object value, String spec) {
    Matcher m = SPEC.matcher(spec);
    if (!m.matches()) {
      throw new JinjaException.WrongValue("Invalid format specifier " + Repr.text(spec));
    }
    boolean number = Numbers.isNumber(value);
    String body = number ? number(value, m) : text(value, m);
    int width = m.group(7) == null ? 0 : Integer.parseInt(m.group(7));
    String fill = m.group(1) != null ? m.group(1) : m.group(6) != null ? "0" : " ";
    String align =
        m.group(2) != null ? m.group(2) : m.group(6) != null && number ? "=" : number ? ">" : "<";
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
        || m.group(8) != null
        || (m.group(10) != null && !m.group(10).equals("s"))
        || "=".equals(m.group(2))) {
      throw new JinjaException.WrongValue(
          "format specifier not supported for " + Values.type(value));
    }
    int most = m.group(9) == null ? Integer.MAX_VALUE : Integer.parseInt(m.group(9));
    return text.codePointCount(0, text.length()) <= most
        ? text
        : text.substring(0, text.offsetByCodePoints(0, most));
  }

  private static String number(Object value, Matcher m) {
    String given = m.group(10);
    boolean integer = Numbers.isInteger(value);
    char type = given != null ? given.charAt(0) : integer ? 'd' : 'r';
    boolean negative = Numbers.compare(value, 0L) < 0;
    String digits;
    if (integer && "dboxXcn".indexOf(type) >= 0) {
      if (type == 'c') {
        return NumberFormat.character(value);
      }
      digits = NumberFormat.integer(Numbers.big(value).abs(), type == 'n' ? 'd' : type);
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
                    : likeRepr(NumberFormat.real(Math.abs(real), 'g', precision, false));
            case '%' ->
                NumberFormat.real(Math.abs(real) * 100, 'f', precision < 0 ? 6 : precision, false)
                    + "%";
            case 'e', 'E', 'f', 'F', 'g', 'G', 'n' ->
                NumberFormat.real(
                    Math.abs(real),
                    type == 'n' ? 'g' : type,
                    precision < 0 ? 6 : precision,
                    m.group(5) != null);
            default ->
                throw new JinjaException.WrongValue(
                    "Unknown format code '"
                        + type
                        + "' for object of type '"
                        + Values.type(value)
                        + "'");
          };
      digits = grouped(digits, m.group(8), 'd');
    }
    String sign = negative ? "-" : m.group(3) == null || m.group(3).equals("-") ? "" : m.group(3);
    return sign + digits;
  }

  /** Without a type, at least one digit stands behind the point. */
  private static String likeRepr(String digits) {
    return digits.indexOf('.') < 0 && digits.indexOf('e') < 0 && digits.indexOf('n') < 0
        ? digits + ".0"
        : digits;
  }

  private static String grouped(
      String digits, @org.jspecify.annotations.Nullable String separator, char type) {
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
    StringBuilder out = new StringBuilder(digits);
    for (int i = end - size; i > 0; i -= size) {
      out.insert(i, separator);
    }
    return out.toString();
  }
}
