package io.trimtab.delta;

import io.trimtab.delta.AddressLexer.Kind;
import io.trimtab.delta.AddressLexer.Token;
import io.trimtab.delta.AddressTree.AllLinear;
import io.trimtab.delta.AddressTree.Common;
import io.trimtab.delta.AddressTree.Full;
import io.trimtab.delta.AddressTree.Glob;
import io.trimtab.delta.AddressTree.Minus;
import io.trimtab.delta.AddressTree.PeftLayers;
import io.trimtab.delta.AddressTree.Range;
import io.trimtab.delta.AddressTree.Search;
import io.trimtab.delta.AddressTree.Suffix;
import io.trimtab.delta.AddressTree.Union;
import io.trimtab.delta.AddressTree.Within;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.jspecify.annotations.Nullable;

/**
 * Reads addresses.
 *
 * <pre>
 * group   = item { "," item | "-" item | [","] filter }     from left to right
 * item    = name | glob | "@" common | regex | "all-linear" | "(" group ")"
 * filter  = "layers=" ranges | "exclude=" item { "," item | "-" item }
 *         | "layers_to_transform=" numbers | "layers_pattern=" names
 * </pre>
 *
 * <p>A filter holds for its whole group, wherever in it it stands.
 */
final class AddressParser {
  private static final int DEEPEST = 50;
  private static final int LONGEST = 20_000;
  private static final Pattern SPAN = Pattern.compile("(\\d{1,6})(?:-(\\d{1,6}))?");
  private static final Pattern LAST = Pattern.compile("last:(\\d{1,6})");
  private static final String A_NAME = "a name such as query, a pattern, [r]REGEX or all-linear";

  private final String text;
  private final List<Token> tokens;
  private int at;

  private AddressParser(String text) {
    this.text = text;
    this.tokens = AddressLexer.tokens(text);
  }

  /**
   * Reads an address.
   *
   * @throws AddressSyntaxException where it is none
   */
  static AddressTree parse(String text) {
    if (text.length() > LONGEST) {
      throw new DeltaException(
          "found an address of " + text.length() + " characters, expected at most " + LONGEST);
    }
    AddressParser parser = new AddressParser(text);
    AddressTree tree = parser.group(0);
    if (parser.peek().kind() != Kind.END) {
      throw parser.unexpected("no closing parenthesis without an opening one before it");
    }
    return tree;
  }

  private Token peek() {
    return tokens.get(at);
  }

  private Kind kindAfter() {
    return tokens.get(Math.min(at + 1, tokens.size() - 1)).kind();
  }

  private Token take() {
    Token token = peek();
    if (token.kind() != Kind.END) {
      at++;
    }
    return token;
  }

  private boolean takeIf(Kind kind) {
    boolean is = peek().kind() == kind;
    if (is) {
      take();
    }
    return is;
  }

  private AddressSyntaxException unexpected(String expected) {
    return wrong(peek().start(), peek().shown(), expected);
  }

  private AddressSyntaxException wrong(int position, String found, String expected) {
    return new AddressSyntaxException(text, position, found, expected);
  }

  private AddressTree group(int depth) {
    if (depth > DEEPEST) {
      throw unexpected("at most " + DEEPEST + " parentheses inside each other");
    }
    @Nullable AddressTree tree = null;
    List<UnaryOperator<AddressTree>> filters = new ArrayList<>();
    while (true) {
      if (peek().kind() == Kind.FILTER) {
        filters.add(filter(depth));
      } else if (tree == null) {
        tree = item(depth);
      } else if (peek().kind() == Kind.COMMA && kindAfter() == Kind.FILTER) {
        take();
      } else if (takeIf(Kind.COMMA)) {
        tree = Union.of(tree, item(depth));
      } else if (takeIf(Kind.MINUS)) {
        tree = new Minus(tree, item(depth));
      } else if (peek().kind() == Kind.END || peek().kind() == Kind.CLOSE) {
        break;
      } else {
        throw unexpected("a comma, a minus, layers= or exclude= before it");
      }
    }
    for (UnaryOperator<AddressTree> filter : filters) {
      tree = filter.apply(tree);
    }
    return tree;
  }

  private AddressTree item(int depth) {
    Token token = peek();
    return switch (token.kind()) {
      case NAME -> name(take());
      case QUOTED -> literal(take());
      case SEARCH -> new Search(regex(take()));
      case FULL -> new Full(regex(take()));
      case OPEN -> {
        take();
        AddressTree inner = group(depth + 1);
        if (!takeIf(Kind.CLOSE)) {
          throw unexpected("a closing parenthesis for the one at column " + (token.start() + 1));
        }
        yield inner;
      }
      case COMMA, MINUS, CLOSE, FILTER, END -> throw unexpected(A_NAME);
    };
  }

  private AddressTree name(Token token) {
    String name = token.text();
    if (name.equals(Address.ALL_LINEAR)) {
      return new AllLinear();
    }
    boolean common = name.indexOf('@') >= 0;
    String bare = common ? withoutSigns(token) : name;
    for (int i = 0; i < bare.length(); i++) {
      if (bare.charAt(i) == ':') {
        throw wrong(
            token.start() + i, "a colon", "one in layers=last:4 only; put odd names in quotes");
      }
    }
    if (bare.isEmpty() || bare.startsWith(".") || bare.endsWith(".") || bare.contains("..")) {
      throw wrong(
          token.start(),
          "a name with nothing beside a dot (" + name + ")",
          "parts of paths with one dot between them");
    }
    if (common) {
      return new Common(bare);
    }
    return name.indexOf('*') >= 0 || name.indexOf('?') >= 0 ? new Glob(name) : new Suffix(name);
  }

  /**
   * A common name without the signs that mark it: one in front, or OpenDelta's behind each part.
   */
  private String withoutSigns(Token token) {
    String name = token.text();
    for (int i = 0; i < name.length(); i++) {
      boolean first = i == 0;
      boolean endsPart = i + 1 == name.length() || name.charAt(i + 1) == '.';
      if (name.charAt(i) == '@' && !first && (!endsPart || name.charAt(i - 1) == '.')) {
        throw wrong(
            token.start() + i,
            "an @ inside a name",
            "one in front as in @attn.q, or one behind each part as in attn@.q@");
      }
    }
    return name.replace("@", "");
  }

  private AddressTree literal(Token token) {
    if (token.text().isBlank()) {
      throw wrong(token.start(), "an empty name", A_NAME);
    }
    return new Suffix(token.text());
  }

  private String regex(Token token) {
    if (token.text().isEmpty()) {
      throw wrong(token.body(), "nothing", "a regular expression behind the bracket");
    }
    try {
      AddressRegex.compile(token.text());
    } catch (DeltaException e) {
      PatternSyntaxException fault =
          e.getCause() instanceof PatternSyntaxException cause ? cause : null;
      int index = fault == null ? 0 : Math.max(fault.getIndex(), 0);
      AddressSyntaxException placed =
          wrong(
              Math.min(token.body() + index, text.length()),
              fault == null ? "too many groups" : fault.getDescription().toLowerCase(Locale.ROOT),
              "a regular expression as Java has them");
      placed.initCause(e);
      throw placed;
    }
    return token.text();
  }

  private UnaryOperator<AddressTree> filter(int depth) {
    Token key = take();
    return switch (key.text()) {
      case "layers" -> {
        List<Range> ranges = ranges();
        yield tree -> new Within(tree, ranges);
      }
      case "exclude" -> {
        AddressTree what = excluded(depth);
        yield tree -> new Minus(tree, what);
      }
      case "layers_to_transform" -> {
        List<Integer> numbers = numbers();
        List<String> names = patterns();
        yield tree -> new PeftLayers(tree, numbers, names);
      }
      default ->
          throw wrong(
              key.start(),
              key.shown(),
              key.text().equals("layers_pattern")
                  ? "layers_to_transform= before it"
                  : "layers= or exclude=");
    };
  }

  private AddressTree excluded(int depth) {
    AddressTree tree = item(depth);
    while (true) {
      if (peek().kind() == Kind.COMMA && kindAfter() != Kind.FILTER) {
        take();
        tree = Union.of(tree, item(depth));
      } else if (takeIf(Kind.MINUS)) {
        tree = new Minus(tree, item(depth));
      } else {
        return tree;
      }
    }
  }

  private List<Range> ranges() {
    List<Range> ranges = new ArrayList<>(List.of(range(take())));
    while (peek().kind() == Kind.COMMA && isRange(tokens.get(at + 1))) {
      take();
      ranges.add(range(take()));
    }
    return ranges;
  }

  private static boolean isRange(Token token) {
    return token.kind() == Kind.NAME
        && (SPAN.matcher(token.text()).matches() || LAST.matcher(token.text()).matches());
  }

  private Range range(Token token) {
    if (token.kind() == Kind.NAME) {
      Matcher span = SPAN.matcher(token.text());
      Matcher last = LAST.matcher(token.text());
      if (span.matches()) {
        int from = Integer.parseInt(span.group(1));
        int to = span.group(2) == null ? from : Integer.parseInt(span.group(2));
        if (from <= to) {
          return new Range.Span(from, to);
        }
      } else if (last.matches() && Integer.parseInt(last.group(1)) > 0) {
        return new Range.Last(Integer.parseInt(last.group(1)));
      }
    }
    throw wrong(token.start(), token.shown(), "numbers of layers such as 4-11, 0,2,5-7 or last:4");
  }

  private List<Integer> numbers() {
    List<Integer> numbers = new ArrayList<>();
    for (Range range : ranges()) {
      if (range instanceof Range.Span span && span.from() == span.to()) {
        numbers.add(span.from());
      } else {
        throw wrong(tokens.get(at - 1).start(), range.toString(), "single numbers of layers");
      }
    }
    return numbers;
  }

  private List<String> patterns() {
    List<String> names = new ArrayList<>();
    boolean given = peek().kind() == Kind.FILTER && peek().text().equals("layers_pattern");
    if (given) {
      do {
        take(); // the key, and then every comma
        Token name = take();
        if (name.kind() != Kind.QUOTED && name.kind() != Kind.NAME) {
          throw wrong(name.start(), name.shown(), "the name of a list of layers, such as layer");
        }
        names.add(regex(name));
      } while (peek().kind() == Kind.COMMA && kindAfter() == Kind.QUOTED);
    }
    return names;
  }
}
