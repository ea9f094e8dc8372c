package io.trimtab.jinja;

/** The escapes in string literals, which are Python's. */
final class Escapes {
  private Escapes() {}

  /** The value of the literal between {@code start} and {@code end}, the places of its quotes. */
  static String decode(Source source, int start, int end) {
    String text = source.text();
    String literal = text.substring(start, end);
    if (literal.indexOf('\\') < 0) {
      return literal;
    }
    StringBuilder out = new StringBuilder(end - start);
    int i = start;
    while (i < end) {
      char c = text.charAt(i++);
      if (c != '\\') {
        out.append(c);
        continue;
      }
      char escape = text.charAt(i++);
      switch (escape) {
        case '\n' -> {}
        case '\\', '\'', '"' -> out.append(escape);
        case 'a' -> out.append('\u0007');
        case 'b' -> out.append('\b');
        case 'f' -> out.append('\f');
        case 'n' -> out.append('\n');
        case 'r' -> out.append('\r');
        case 't' -> out.append('\t');
        case 'v' -> out.append('\u000b');
        case 'x' -> i = hex(source, i, end, 2, out);
        case 'u' -> i = hex(source, i, end, 4, out);
        case 'U' -> i = hex(source, i, end, 8, out);
        case 'N' -> i = named(source, i, end, out);
        case '0', '1', '2', '3', '4', '5', '6', '7' -> {
          int value = escape - '0';
          for (int n = 0; n < 2 && i < end && text.charAt(i) >= '0' && text.charAt(i) <= '7'; n++) {
            value = 8 * value + text.charAt(i++) - '0';
          }
          out.append((char) value);
        }
        default -> {
          out.append('\\');
          if (escape < 128) {
            out.append(escape);
          } else {
            // Python turns what is not ASCII into an escape first, which the backslash then undoes.
            out.setLength(out.length() - 1);
            Repr.escape(text.codePointAt(i - 1), out);
            i += Character.charCount(text.codePointAt(i - 1)) - 1;
          }
        }
      }
    }
    return out.toString();
  }

  private static int hex(Source source, int at, int end, int count, StringBuilder out) {
    int value = 0;
    for (int i = at; i < at + count; i++) {
      int digit = i < end ? Character.digit(source.text().charAt(i), 16) : -1;
      if (digit < 0) {
        throw source.error("expected " + count + " hexadecimal digits in this escape", at - 2);
      }
      value = 16 * value + digit;
    }
    if (!Character.isValidCodePoint(value)) {
      throw source.error("expected a character of Unicode, which this escape is not", at - 2);
    }
    out.appendCodePoint(value);
    return at + count;
  }

  private static int named(Source source, int at, int end, StringBuilder out) {
    int close = source.text().indexOf('}', at);
    if (at >= end || source.text().charAt(at) != '{' || close < 0 || close >= end) {
      throw source.error("expected \\N{name of a character}", at - 2);
    }
    try {
      out.appendCodePoint(Character.codePointOf(source.text().substring(at + 1, close)));
    } catch (IllegalArgumentException e) {
      throw source.error("expected the name of a character of Unicode in this escape", at - 2);
    }
    return close + 1;
  }
}
