package io.trimtab.jinja;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.List;

/** How Python prints values: {@code str} and {@code repr}. */
final class Repr {
  private Repr() {}

  /** Python's {@code str}. */
  static String string(Object value, Budget budget) {
    return switch (value) {
      case String text -> text;
      case Markup markup -> markup.text();
      case Undefined undefined -> "";
      default -> repr(value, budget);
    };
  }

  static String repr(Object value, Budget budget) {
    StringBuilder out = new StringBuilder();
    append(value, out, budget);
    budget.text(out.length());
    return out.toString();
  }

  /** Python's {@code ascii}. */
  static String ascii(Object value, Budget budget) {
    String text = repr(value, budget);
    StringBuilder out = new StringBuilder(text.length());
    text.codePoints()
        .forEach(
            c -> {
              if (c < 128) {
                out.append((char) c);
              } else {
                escape(c, out);
                budget.fits(out.length());
              }
            });
    budget.text(out.length());
    return out.toString();
  }

  private static void append(Object value, StringBuilder out, Budget budget) {
    budget.step();
    budget.text(0);
    switch (value) {
      case None none -> out.append("None");
      case Boolean flag -> out.append(flag ? "True" : "False");
      case Double number -> out.append(real(number));
      case Number number -> out.append(Numbers.digits(number, budget));
      case String text -> text(text, out, budget);
      case Markup markup -> {
        text(markup.text(), out.append("Markup("), budget);
        out.append(')');
      }
      case Undefined undefined -> out.append("Undefined");
      case Range range -> {
        out.append("range(").append(range.start()).append(", ").append(range.stop());
        out.append(range.step() == 1 ? "" : ", " + range.step()).append(')');
      }
      case List<?> list -> all(list, "[", "]", out, budget);
      case Tuple tuple ->
          all(tuple.items(), "(", tuple.items().size() == 1 ? ",)" : ")", out, budget);
      case Dict.View view -> all(view.items(), view.kind() + "([", "])", out, budget);
      case Dict dict -> {
        budget.enter();
        String separator = "{";
        for (Dict.Entry entry : dict.entries()) {
          out.append(separator);
          append(entry.key(), out, budget);
          out.append(": ");
          append(entry.value(), out, budget);
          separator = ", ";
        }
        out.append(dict.size() == 0 ? "{}" : "}");
        budget.exit();
      }
      case Lazy lazy -> out.append("<").append(lazy.kind()).append(" object>");
      case Namespace namespace -> out.append("<Namespace>");
      case LoopState loop -> out.append("<LoopContext ").append(loop).append('>');
      case Callable callable -> out.append("<function ").append(callable.name()).append('>');
      default -> throw new IllegalStateException("no value of a template: " + value.getClass());
    }
    budget.fits(out.length());
  }

  private static void all(
      List<?> items, String open, String close, StringBuilder out, Budget budget) {
    budget.enter();
    out.append(open);
    for (int i = 0; i < items.size(); i++) {
      out.append(i == 0 ? "" : ", ");
      append(items.get(i), out, budget);
    }
    out.append(close);
    budget.exit();
  }

  /** A float, shortest that reads back as itself. */
  static String real(double value) {
    if (Double.isNaN(value)) {
      return "nan";
    }
    if (Double.isInfinite(value)) {
      return value > 0 ? "inf" : "-inf";
    }
    if (value == 0) {
      return 1 / value < 0 ? "-0.0" : "0.0";
    }
    BigDecimal shortest = new BigDecimal(Double.toString(Math.abs(value))).stripTrailingZeros();
    if (shortest.precision() == 2) {
      // Java prints two digits at least, where one may do: 4.9E-324 is 5e-324.
      BigDecimal one = shortest.round(new MathContext(1));
      shortest = one.doubleValue() == Math.abs(value) ? one : shortest;
    }
    String digits = shortest.unscaledValue().toString();
    int exponent = digits.length() - shortest.scale() - 1;
    String sign = value < 0 ? "-" : "";
    if (exponent < -4 || exponent >= 16) {
      String fraction = digits.length() > 1 ? "." + digits.substring(1) : "";
      String size = (Math.abs(exponent) < 10 ? "0" : "") + Math.abs(exponent);
      return sign + digits.charAt(0) + fraction + "e" + (exponent < 0 ? "-" : "+") + size;
    }
    String plain = shortest.toPlainString();
    return sign + (plain.indexOf('.') < 0 ? plain + ".0" : plain);
  }

  /** The beginning of a text as a literal, for error messages. */
  static String shown(String value) {
    StringBuilder out = new StringBuilder();
    text(Undefined.shown(value), out, new Budget(Limits.DEFAULT));
    return out.toString();
  }

  /** A string as a literal. */
  private static void text(String value, StringBuilder out, Budget budget) {
    budget.work(4L * value.length());
    budget.fits((long) out.length() + value.length());
    char quote = value.indexOf('\'') >= 0 && value.indexOf('"') < 0 ? '"' : '\'';
    out.append(quote);
    for (int i = 0; i < value.length(); ) {
      int c = value.codePointAt(i);
      i += Character.charCount(c);
      if (c == quote || c == '\\') {
        out.append('\\').appendCodePoint(c);
      } else if (c == '\n') {
        out.append("\\n");
      } else if (c == '\r') {
        out.append("\\r");
      } else if (c == '\t') {
        out.append("\\t");
      } else if (c == ' ' || isPrintable(c)) {
        out.appendCodePoint(c);
      } else {
        escape(c, out);
        budget.fits(out.length());
      }
    }
    out.append(quote);
  }

  /** The escape of a character in a literal, by its code. */
  static void escape(int c, StringBuilder out) {
    out.append(c < 256 ? "\\x" : c < 65536 ? "\\u" : "\\U");
    hex(c, c < 256 ? 2 : c < 65536 ? 4 : 8, out);
  }

  /** The last hexadecimal digits of a number. */
  static void hex(int value, int digits, StringBuilder out) {
    for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) {
      out.append(Character.forDigit((value >>> shift) & 15, 16));
    }
  }

  private static boolean isPrintable(int c) {
    return switch (Character.getType(c)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.SURROGATE,
          Character.PRIVATE_USE,
          Character.UNASSIGNED,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR,
          Character.SPACE_SEPARATOR ->
          false;
      default -> true;
    };
  }
}
