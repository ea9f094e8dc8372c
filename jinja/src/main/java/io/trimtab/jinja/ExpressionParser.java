package io.trimtab.jinja;

import io.trimtab.jinja.Token.Kind;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Parses expressions by recursive descent; a method a level of precedence, loosest first. */
final class ExpressionParser {
  private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");

  private final TokenStream tokens;
  private final NameUse uses;

  ExpressionParser(TokenStream tokens, NameUse uses) {
    this.tokens = tokens;
    this.uses = uses;
  }

  Expr expression() {
    tokens.enter();
    int mark = uses.mark();
    int at = tokens.peek().at();
    Expr then = or();
    boolean conditional = false;
    while (tokens.skipName("if")) {
      conditional = true;
      Expr test = or();
      Expr otherwise = tokens.skipName("else") ? expression() : null;
      then = new Expr.Conditional(at, test, then, otherwise);
    }
    if (conditional) {
      uses.tolerate(mark);
    }
    tokens.exit();
    return then;
  }

  /** An expression, or several between commas, which make a tuple. */
  Expr tuple(boolean conditional, @Nullable String endWord) {
    return tuple(conditional ? this::expression : this::or, endWord, false);
  }

  private Expr tuple(Supplier<Expr> part, @Nullable String endWord, boolean parenthesized) {
    int at = tokens.peek().at();
    List<Expr> parts = new ArrayList<>();
    boolean comma = false;
    while (!tupleEnds(endWord)) {
      parts.add(part.get());
      if (!tokens.skip(",")) {
        break;
      }
      comma = true;
    }
    if (!comma && !parts.isEmpty()) {
      return parts.getFirst();
    }
    if (!comma && !parenthesized) {
      throw tokens.unexpected("an expression");
    }
    return new Expr.TupleOf(at, parts);
  }

  private boolean tupleEnds(@Nullable String endWord) {
    Token token = tokens.peek();
    return token.is(Kind.PRINT_END)
        || token.is(Kind.BLOCK_END)
        || token.operator(")")
        || (endWord != null && token.name(endWord));
  }

  private Expr or() {
    int at = tokens.peek().at();
    Expr left = and();
    while (tokens.skipName("or")) {
      left = new Expr.Or(at, left, and());
    }
    return left;
  }

  private Expr and() {
    int at = tokens.peek().at();
    Expr left = not();
    while (tokens.skipName("and")) {
      left = new Expr.And(at, left, not());
    }
    return left;
  }

  private Expr not() {
    int at = tokens.peek().at();
    if (!tokens.skipName("not")) {
      return comparison();
    }
    tokens.enter();
    Expr negated = new Expr.Not(at, not());
    tokens.exit();
    return negated;
  }

  private Expr comparison() {
    int at = tokens.peek().at();
    Expr first = sum();
    List<Expr> operands = new ArrayList<>(List.of(first));
    List<String> operators = new ArrayList<>();
    while (true) {
      Token token = tokens.peek();
      if (token.is(Kind.OPERATOR) && COMPARISONS.contains(token.text())) {
        operators.add(tokens.take().text());
      } else if (tokens.skipName("in")) {
        operators.add("in");
      } else if (token.name("not") && tokens.peekSecond().name("in")) {
        tokens.take();
        tokens.take();
        operators.add("not in");
      } else {
        return operators.isEmpty() ? first : new Expr.Compare(at, operands, operators);
      }
      operands.add(sum());
    }
  }

  private Expr sum() {
    int at = tokens.peek().at();
    Expr left = concat();
    while (tokens.peek().operator("+") || tokens.peek().operator("-")) {
      String operator = tokens.take().text();
      left = new Expr.Arithmetic(at, operator, left, concat());
    }
    return left;
  }

  private Expr concat() {
    int at = tokens.peek().at();
    Expr first = product();
    if (!tokens.peek().operator("~")) {
      return first;
    }
    List<Expr> parts = new ArrayList<>(List.of(first));
    while (tokens.skip("~")) {
      parts.add(product());
    }
    return new Expr.Concat(at, parts);
  }

  private Expr product() {
    int at = tokens.peek().at();
    Expr left = power();
    while (tokens.peek().is(Kind.OPERATOR)
        && Set.of("*", "/", "//", "%").contains(tokens.peek().text())) {
      String operator = tokens.take().text();
      left = new Expr.Arithmetic(at, operator, left, power());
    }
    return left;
  }

  private Expr power() {
    int at = tokens.peek().at();
    Expr left = unary(true);
    while (tokens.skip("**")) {
      left = new Expr.Arithmetic(at, "**", left, unary(true));
    }
    return left;
  }

  private Expr unary(boolean filters) {
    int at = tokens.peek().at();
    Expr value;
    if (tokens.peek().operator("-") || tokens.peek().operator("+")) {
      boolean negative = tokens.take().text().equals("-");
      tokens.enter();
      value = new Expr.Sign(at, negative, unary(false));
      tokens.exit();
    } else {
      value = primary();
    }
    value = postfix(value);
    return filters ? filtersAndTests(value) : value;
  }

  Expr primary() {
    Token token = tokens.take();
    return switch (token.kind()) {
      case NAME ->
          switch (token.text()) {
            case "true", "True" -> new Expr.Const(token.at(), true);
            case "false", "False" -> new Expr.Const(token.at(), false);
            case "none", "None" -> new Expr.Const(token.at(), None.NONE);
            default -> {
              uses.name(token.text());
              yield new Expr.Name(token.at(), token.text());
            }
          };
      case STRING -> {
        StringBuilder text = new StringBuilder(token.text());
        while (tokens.peek().is(Kind.STRING)) {
          text.append(tokens.take().text());
        }
        yield new Expr.Const(token.at(), text.toString());
      }
      case INTEGER -> new Expr.Const(token.at(), integer(token));
      case FLOAT -> new Expr.Const(token.at(), Double.valueOf(token.text()));
      case OPERATOR -> bracketed(token);
      default -> throw tokens.error("expected an expression, found " + token.shown(), token.at());
    };
  }

  private Object integer(Token token) {
    String text = token.text();
    int radix =
        text.length() < 2
            ? 10
            : switch (text.charAt(1) | 32) {
              case 'x' -> 16;
              case 'o' -> 8;
              case 'b' -> 2;
              default -> 10;
            };
    if (text.length() > Numbers.MAX_DIGITS) {
      throw tokens.error(
          "expected at most " + Numbers.MAX_DIGITS + " digits, found " + text.length(), token.at());
    }
    return Numbers.normal(new BigInteger(radix == 10 ? text : text.substring(2), radix));
  }

  private Expr bracketed(Token open) {
    return switch (open.text()) {
      case "(" -> {
        tokens.enter();
        Expr inner = tuple(this::expression, null, true);
        tokens.expect(")");
        tokens.exit();
        yield inner;
      }
      case "[" -> {
        List<Expr> items = new ArrayList<>();
        while (!tokens.peek().operator("]")) {
          items.add(expression());
          if (!tokens.skip(",")) {
            break;
          }
        }
        tokens.expect("]");
        yield new Expr.ListOf(open.at(), items);
      }
      case "{" -> {
        List<Expr> keys = new ArrayList<>();
        List<Expr> values = new ArrayList<>();
        while (!tokens.peek().operator("}")) {
          keys.add(expression());
          tokens.expect(":");
          values.add(expression());
          if (!tokens.skip(",")) {
            break;
          }
        }
        tokens.expect("}");
        yield new Expr.DictOf(open.at(), keys, values);
      }
      default -> throw tokens.error("expected an expression, found " + open.shown(), open.at());
    };
  }

  private Expr postfix(Expr start) {
    Expr value = start;
    while (true) {
      Token token = tokens.peek();
      if (tokens.skip(".")) {
        Token name = tokens.take();
        value =
            switch (name.kind()) {
              case NAME -> new Expr.Attribute(name.at(), value, name.text());
              case INTEGER ->
                  new Expr.Item(name.at(), value, new Expr.Const(name.at(), integer(name)));
              default ->
                  throw tokens.error("expected a name or number, found " + name.shown(), name.at());
            };
      } else if (tokens.skip("[")) {
        value = new Expr.Item(token.at(), value, subscript(token.at()));
      } else if (token.operator("(")) {
        value = new Expr.Call(token.at(), value, arguments());
      } else {
        return value;
      }
    }
  }

  private Expr subscript(int at) {
    List<Expr> parts = new ArrayList<>();
    while (!tokens.peek().operator("]")) {
      if (!parts.isEmpty()) {
        tokens.expect(",");
      }
      parts.add(subscriptPart());
    }
    tokens.expect("]");
    return parts.size() == 1 ? parts.getFirst() : new Expr.TupleOf(at, parts);
  }

  private Expr subscriptPart() {
    int at = tokens.peek().at();
    Expr start = tokens.peek().operator(":") ? null : expression();
    if (start != null && !tokens.peek().operator(":")) {
      return start;
    }
    tokens.expect(":");
    Expr stop = bound();
    Expr step = tokens.skip(":") ? bound() : null;
    return new Expr.Slice(at, start, stop, step);
  }

  private @Nullable Expr bound() {
    Token token = tokens.peek();
    return token.operator(":") || token.operator("]") || token.operator(",") ? null : expression();
  }

  private Expr filtersAndTests(Expr start) {
    Expr value = start;
    while (true) {
      Token token = tokens.peek();
      if (token.operator("|")) {
        value = filters(value);
      } else if (token.name("is")) {
        value = test(value);
      } else if (token.operator("(")) {
        value = new Expr.Call(token.at(), value, arguments());
      } else {
        return value;
      }
    }
  }

  /** Filters on {@code input}, from the bar before the first one on. */
  Expr filters(Expr input) {
    Expr value = input;
    while (tokens.skip("|")) {
      value = filter(value);
    }
    return value;
  }

  /** One filter, from its name on. */
  Expr filter(Expr input) {
    Token token = tokens.peek();
    String name = dotted();
    if (!Filters.known(name)) {
      uses.unknown("filter", name, token.at());
    }
    Expr.Arguments arguments = tokens.peek().operator("(") ? arguments() : Expr.Arguments.NONE;
    return new Expr.Filter(token.at(), input, name, arguments);
  }

  private String dotted() {
    StringBuilder name = new StringBuilder(tokens.expect(Kind.NAME).text());
    while (tokens.skip(".")) {
      name.append('.').append(tokens.expect(Kind.NAME).text());
    }
    return name.toString();
  }

  private Expr test(Expr input) {
    tokens.expectName("is");
    boolean negated = tokens.skipName("not");
    Token token = tokens.peek();
    String name = dotted();
    if (!Tests.known(name)) {
      uses.unknown("test", name, token.at());
    }
    Token next = tokens.peek();
    Expr.Arguments arguments = Expr.Arguments.NONE;
    if (next.operator("(")) {
      arguments = arguments();
    } else if (beginsArgument(next)) {
      if (next.name("is")) {
        throw tokens.error("expected no further 'is' behind a test", next.at());
      }
      tokens.enter();
      Expr argument = postfix(primary());
      tokens.exit();
      arguments = new Expr.Arguments(List.of(argument), List.of(), List.of(), null, null);
    }
    Expr test = new Expr.Test(token.at(), input, name, arguments);
    return negated ? new Expr.Not(token.at(), test) : test;
  }

  private static boolean beginsArgument(Token token) {
    return switch (token.kind()) {
      case NAME -> !Set.of("else", "or", "and").contains(token.text());
      case STRING, INTEGER, FLOAT -> true;
      default -> token.operator("[") || token.operator("{");
    };
  }

  private Expr.Arguments arguments() {
    List<Expr> positional = new ArrayList<>();
    List<String> names = new ArrayList<>();
    List<Expr> named = new ArrayList<>();
    Expr star = null;
    Expr doubleStar = null;
    int at = tokens.peek().at();
    tokens.expect("(");
    while (!tokens.peek().operator(")")) {
      boolean ordered = doubleStar == null;
      if (tokens.skip("*")) {
        ordered &= star == null;
        star = expression();
      } else if (tokens.skip("**")) {
        doubleStar = expression();
      } else if (tokens.peek().is(Kind.NAME) && tokens.peekSecond().operator("=")) {
        String name = tokens.take().text();
        if (names.contains(name)) {
          throw tokens.error("expected the argument " + name + " once only", at);
        }
        tokens.few(names.size());
        names.add(name);
        tokens.take();
        named.add(expression());
      } else {
        ordered &= star == null && names.isEmpty();
        positional.add(expression());
      }
      if (!ordered) {
        throw tokens.error(
            "expected arguments in the order: by place, by name, *spread, **spread", at);
      }
      if (!tokens.skip(",")) {
        break;
      }
    }
    tokens.expect(")");
    return new Expr.Arguments(positional, names, named, star, doubleStar);
  }
}
