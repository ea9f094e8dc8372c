package io.trimtab.jinja;

import io.trimtab.jinja.Token.Kind;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * Cuts a template into tokens. Here whitespace is controlled: a block or comment swallows the line
 * feed behind it and the blanks before it on its line; {@code -} swallows all whitespace on its
 * side, {@code +} keeps it.
 */
final class Lexer {
  private static final String[] OPERATORS = {
    "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}",
    ">", "<", "=", ".", ":", "|", ",", ";"
  };

  /** Names are compared anew whenever they are looked up, so they must not be long. */
  private static final int MAX_NAME = 1000;

  private final Source source;
  private final String text;
  private final List<Token> tokens = new ArrayList<>();
  private int at;

  private Lexer(Source source) {
    this.source = source;
    this.text = source.text();
  }

  static List<Token> tokens(Source source) {
    Lexer lexer = new Lexer(source);
    lexer.run();
    return lexer.tokens;
  }

  private void run() {
    while (at < text.length()) {
      int open = nextTag(at);
      if (open < 0) {
        data(text.substring(at), at);
        at = text.length();
        break;
      }
      char sort = text.charAt(open + 1);
      char sign = open + 2 < text.length() ? text.charAt(open + 2) : ' ';
      boolean signed = sign == '-' || sign == '+';
      data(before(at, open, sign, sort != '{'), at);
      at = open + (signed ? 3 : 2);
      switch (sort) {
        case '#' -> comment(open);
        case '{' -> {
          tokens.add(new Token(Kind.PRINT_BEGIN, "{{", open));
          inside(Kind.PRINT_END, open);
        }
        default -> {
          if (!raw(open)) {
            tokens.add(new Token(Kind.BLOCK_BEGIN, "{%", open));
            inside(Kind.BLOCK_END, open);
          }
        }
      }
    }
    tokens.add(new Token(Kind.END, "", text.length()));
  }

  private int nextTag(int from) {
    for (int i = text.indexOf('{', from); i >= 0 && i + 1 < text.length(); ) {
      char next = text.charAt(i + 1);
      if (next == '{' || next == '%' || next == '#') {
        return i;
      }
      i = text.indexOf('{', i + 1);
    }
    return -1;
  }

  /** The text from {@code start} to a tag at {@code end}, as the tag leaves it. */
  private String before(int start, int end, char sign, boolean strips) {
    String data = text.substring(start, end);
    if (sign == '-') {
      return Strings.stripEnd(data);
    }
    if (sign == '+' || !strips) {
      return data;
    }
    int line = data.lastIndexOf('\n') + 1;
    boolean lineStarts = line > 0 || start == 0 || text.charAt(start - 1) == '\n';
    return lineStarts && Strings.isBlank(data, line) ? data.substring(0, line) : data;
  }

  private void data(String data, int where) {
    if (!data.isEmpty()) {
      tokens.add(new Token(Kind.TEXT, data, where));
    }
  }

  private void comment(int open) {
    int end = text.indexOf("#}", at);
    if (end < 0) {
      throw source.error("expected #} to end the comment, found the end of the template", open);
    }
    char sign = end > at ? text.charAt(end - 1) : ' ';
    at = end + 2;
    trim(sign);
  }

  /** What a closing block or comment with this sign swallows behind it. */
  private void trim(char sign) {
    if (sign == '-') {
      skipSpace();
    } else if (sign != '+' && at < text.length() && text.charAt(at) == '\n') {
      at++;
    }
  }

  private void skipSpace() {
    while (at < text.length() && Strings.isSpace(text.charAt(at))) {
      at++;
    }
  }

  /** Takes a whole {@code raw} block, if there is one here. */
  private boolean raw(int open) {
    int start = at;
    if (!word("raw")) {
      at = start;
      return false;
    }
    if (text.startsWith("-%}", at)) {
      at += 3;
      skipSpace();
    } else if (text.startsWith("%}", at)) {
      at += 2;
    } else {
      at = start;
      return false;
    }
    int body = at;
    for (int end = text.indexOf("{%", at); end >= 0; end = text.indexOf("{%", end + 2)) {
      char sign = end + 2 < text.length() ? text.charAt(end + 2) : ' ';
      at = end + (sign == '-' || sign == '+' ? 3 : 2);
      if (word("endraw")) {
        char close = at < text.length() ? text.charAt(at) : ' ';
        int behind = at + (close == '-' || close == '+' ? 1 : 0);
        if (text.startsWith("%}", behind)) {
          data(before(body, end, sign, true), body);
          at = behind + 2;
          trim(close);
          return true;
        }
      }
    }
    throw source.error("expected {% endraw %}, found the end of the template", open);
  }

  /** Skips blanks, this word and blanks; whether the word was there. */
  private boolean word(String word) {
    skipSpace();
    if (!text.startsWith(word, at)) {
      return false;
    }
    at += word.length();
    skipSpace();
    return true;
  }

  private void inside(Kind end, int open) {
    Deque<Character> brackets = new ArrayDeque<>();
    while (true) {
      skipSpace();
      if (at >= text.length()) {
        throw source.error("expected " + end.shown() + ", found the end of the template", open);
      }
      if (brackets.isEmpty() && closes(end)) {
        return;
      }
      char c = text.charAt(at);
      if (c >= '0' && c <= '9') {
        number();
      } else if (isNamePart(text.codePointAt(at))) {
        name();
      } else if (c == '\'' || c == '"') {
        string(c);
      } else {
        operator(brackets);
      }
    }
  }

  private boolean closes(Kind end) {
    char c = text.charAt(at);
    boolean signed = c == '-' || (c == '+' && end == Kind.BLOCK_END);
    int close = signed ? at + 1 : at;
    if (!text.startsWith(end.shown(), close)) {
      return false;
    }
    tokens.add(new Token(end, end.shown(), at));
    at = close + 2;
    if (end == Kind.BLOCK_END || c == '-') {
      trim(c);
    }
    return true;
  }

  private static boolean isNamePart(int c) {
    return Character.isLetterOrDigit(c)
        || c == '_'
        || (c > 127 && Character.isUnicodeIdentifierPart(c) && !Character.isIdentifierIgnorable(c));
  }

  private void name() {
    int start = at;
    while (at < text.length() && isNamePart(text.codePointAt(at))) {
      at += Character.charCount(text.codePointAt(at));
    }
    if (at - start > MAX_NAME) {
      throw Budget.exceeded(MAX_NAME + " characters of a name")
          .at(source.line(start), source.column(start));
    }
    String name = text.substring(start, at);
    if (!Character.isUnicodeIdentifierStart(name.codePointAt(0)) && name.charAt(0) != '_') {
      throw source.error("expected a name, found " + name, start);
    }
    tokens.add(new Token(Kind.NAME, name, start));
  }

  private void number() {
    int start = at;
    boolean afterDot = start > 0 && text.charAt(start - 1) == '.';
    if (!afterDot) {
      int end = digits(start);
      int fraction = end < text.length() && text.charAt(end) == '.' ? digits(end + 1) : end;
      boolean hasFraction = fraction > end + 1;
      int exponent = exponent(hasFraction ? fraction : end);
      if (exponent > 0 || hasFraction) {
        at = exponent > 0 ? exponent : fraction;
        tokens.add(new Token(Kind.FLOAT, text.substring(start, at).replace("_", ""), start));
        return;
      }
    }
    int radix = radix(start);
    if (radix != 10) {
      at = radixDigits(start + 2, radix);
    } else if (text.charAt(start) == '0') {
      at = start + 1;
      while (at < text.length() && (text.charAt(at) == '0' || text.startsWith("_0", at))) {
        at += text.charAt(at) == '0' ? 1 : 2;
      }
    } else {
      at = digits(start);
    }
    tokens.add(new Token(Kind.INTEGER, text.substring(start, at).replace("_", ""), start));
  }

  /** The end of {@code \d+(_\d+)*} from here on. */
  private int digits(int from) {
    return radixDigits(from, 10);
  }

  private int radixDigits(int from, int radix) {
    int i = from;
    while (i < text.length()) {
      if (isDigit(i, radix)) {
        i++;
      } else if (text.charAt(i) == '_' && isDigit(i + 1, radix) && (i > from || radix != 10)) {
        i += 2;
      } else {
        break;
      }
    }
    return i;
  }

  private boolean isDigit(int i, int radix) {
    return i < text.length() && text.charAt(i) < 128 && Character.digit(text.charAt(i), radix) >= 0;
  }

  private int exponent(int from) {
    if (from >= text.length() || (text.charAt(from) | 32) != 'e') {
      return -1;
    }
    int first = from + 1;
    if (first < text.length() && (text.charAt(first) == '+' || text.charAt(first) == '-')) {
      first++;
    }
    int end = digits(first);
    return end > first ? end : -1;
  }

  private int radix(int start) {
    if (text.charAt(start) != '0' || start + 2 >= text.length()) {
      return 10;
    }
    int radix =
        switch (text.charAt(start + 1) | 32) {
          case 'x' -> 16;
          case 'o' -> 8;
          case 'b' -> 2;
          default -> 10;
        };
    return radix != 10 && radixDigits(start + 2, radix) > start + 2 ? radix : 10;
  }

  private void string(char quote) {
    int start = at;
    int end = start + 1;
    while (end < text.length() && text.charAt(end) != quote) {
      end += text.charAt(end) == '\\' ? 2 : 1;
    }
    if (end >= text.length()) {
      throw source.error("expected " + quote + " to end the string", start);
    }
    at = end + 1;
    tokens.add(new Token(Kind.STRING, Escapes.decode(source, start + 1, end), start));
  }

  private void operator(Deque<Character> brackets) {
    for (String operator : OPERATORS) {
      if (text.startsWith(operator, at)) {
        switch (operator.charAt(0)) {
          case '(' -> brackets.push(')');
          case '[' -> brackets.push(']');
          case '{' -> brackets.push('}');
          case ')', ']', '}' -> {
            char found = operator.charAt(0);
            if (brackets.isEmpty() || brackets.pop() != found) {
              throw source.error("found '" + found + "' where no such bracket is open", at);
            }
          }
          default -> {}
        }
        tokens.add(new Token(Kind.OPERATOR, operator, at));
        at += operator.length();
        return;
      }
    }
    throw source.error(
        "expected an expression, found "
            + Repr.shown(text.substring(at, text.offsetByCodePoints(at, 1))),
        at);
  }
}
