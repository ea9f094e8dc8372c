package io.trimtab.delta;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/** Cuts an address into tokens. */
final class AddressLexer {
  /** What a token is. */
  enum Kind {
    /** A name, pattern or number. */
    NAME,
    /** A text in double quotes: a name taken literally. */
    QUOTED,
    /** {@code [r]} and a regular expression. */
    SEARCH,
    /** {@code [f]} and a regular expression. */
    FULL,
    /** A word and an equals sign, such as {@code layers=}; the text is the word. */
    FILTER,
    COMMA,
    MINUS,
    OPEN,
    CLOSE,
    END
  }

  /**
   * A token.
   *
   * @param text what it says, without brackets and quotes
   * @param start where it starts
   * @param body where its text starts
   * @param end where it ends
   */
  record Token(Kind kind, String text, int start, int body, int end) {
    /** How errors name it. */
    String shown() {
      return switch (kind) {
        case COMMA -> "a comma";
        case MINUS -> "a minus";
        case OPEN -> "an opening parenthesis";
        case CLOSE -> "a closing parenthesis";
        case END -> "the end";
        case FILTER -> text + "=";
        case SEARCH -> "[r]" + text;
        case FULL -> "[f]" + text;
        case NAME, QUOTED -> "\"" + text + "\"";
      };
    }
  }

  private static final String IN_NAMES = "_.*?@-:/";
  private static final Pattern PLAIN =
      Pattern.compile("[\\p{L}\\p{Nd}_/][\\p{L}\\p{Nd}_/-]*(\\.[\\p{L}\\p{Nd}_/-]+)*");

  private final String text;
  private final List<Token> tokens = new ArrayList<>();
  private int at;

  private AddressLexer(String text) {
    this.text = text;
  }

  /** All tokens, the last of them {@link Kind#END}. */
  static List<Token> tokens(String text) {
    AddressLexer lexer = new AddressLexer(text);
    while (lexer.skipSpace()) {
      lexer.tokens.add(lexer.next());
    }
    int end = text.length();
    lexer.tokens.add(new Token(Kind.END, "", end, end, end));
    return List.copyOf(lexer.tokens);
  }

  /** Whether a literal name needs no quotes. */
  static boolean isPlainName(String name) {
    return PLAIN.matcher(name).matches() && !name.equals(Address.ALL_LINEAR);
  }

  /** Whether a regular expression needs no quotes. */
  static boolean isBareRegex(String regex) {
    return !regex.isEmpty()
        && !regex.startsWith("\"")
        && regexEnd(regex, 0) == regex.length()
        && regexEnd(regex + ",", 0) == regex.length();
  }

  private boolean skipSpace() {
    while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
      at++;
    }
    return at < text.length();
  }

  private Token next() {
    char c = text.charAt(at);
    return switch (c) {
      case ',' -> mark(Kind.COMMA);
      case '(' -> mark(Kind.OPEN);
      case ')' -> mark(Kind.CLOSE);
      case '-' -> mark(Kind.MINUS);
      case '"' -> quoted(Kind.QUOTED, at);
      case '[' -> regex();
      default -> name();
    };
  }

  private Token mark(Kind kind) {
    at++;
    return new Token(kind, "", at - 1, at - 1, at);
  }

  /** A text in quotes from here on; two quotes in it stand for one. */
  private Token quoted(Kind kind, int start) {
    int body = at + 1;
    StringBuilder out = new StringBuilder();
    for (at = body; at < text.length(); at++) {
      char c = text.charAt(at);
      if (c == '"') {
        boolean doubled = at + 1 < text.length() && text.charAt(at + 1) == '"';
        if (!doubled) {
          at++;
          return new Token(kind, out.toString(), start, body, at);
        }
        at++;
      }
      out.append(c);
    }
    throw new AddressSyntaxException(
        text, body - 1, "a quote that is not closed", "another one behind the name");
  }

  private Token regex() {
    int start = at;
    Kind kind =
        text.startsWith("[r]", at)
            ? Kind.SEARCH
            : text.startsWith("[f]", at) ? Kind.FULL : Kind.END;
    if (kind == Kind.END) {
      throw new AddressSyntaxException(
          text, at, "an opening bracket", "[r] or [f] before a regular expression");
    }
    at += 3;
    if (at < text.length() && text.charAt(at) == '"') {
      return quoted(kind, start);
    }
    int body = at;
    at = regexEnd(text, at);
    return new Token(kind, text.substring(body, at), start, body, at);
  }

  /**
   * Where a regular expression without quotes ends: before white space, a comma or a closing
   * parenthesis that is in no group, class or count of its own.
   */
  private static int regexEnd(String text, int from) {
    int depth = 0;
    boolean inClass = false;
    boolean inCount = false;
    int i = from;
    for (; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '\\') {
        i++;
      } else if (inClass) {
        inClass = c != ']';
      } else if (c == '[') {
        inClass = true;
      } else if (c == '{' || c == '}') {
        inCount = c == '{';
      } else if (c == '(') {
        depth++;
      } else if (depth > 0) {
        depth -= c == ')' ? 1 : 0;
      } else if (!inCount && (c == ',' || c == ')' || Character.isWhitespace(c))) {
        return i;
      }
    }
    return Math.min(i, text.length());
  }

  private Token name() {
    int start = at;
    while (at < text.length() && isInNames(text.charAt(at))) {
      at++;
    }
    if (at == start) {
      int c = text.codePointAt(at);
      throw new AddressSyntaxException(
          text,
          at,
          "\"" + Character.toString(c) + "\"",
          "a name such as query; put names with other characters in double quotes");
    }
    String name = text.substring(start, at);
    if (at < text.length() && text.charAt(at) == '=') {
      at++;
      return new Token(Kind.FILTER, name, start, start, at);
    }
    return new Token(Kind.NAME, name, start, start, at);
  }

  private static boolean isInNames(char c) {
    return Character.isLetterOrDigit(c) || IN_NAMES.indexOf(c) >= 0;
  }
}
