package io.trimtab.jinja;

import io.trimtab.jinja.Token.Kind;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Parses what stands between operators: literals, names and brackets, and what is behind them. */
final class OperandParser {
  /** Words that end a test instead of being its argument. */
  private static final Set<String> ENDS = Set.of("else", "or", "and");

  private final TokenStream tokens;
  private final NameUse uses;
  private final ExpressionParser expressions;

  OperandParser(TokenStream tokens, NameUse uses, ExpressionParser expressions) {
    this.tokens = tokens;
    this.uses = uses;
    this.expressions = expressions;
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
        Expr inner = expressions.parenthesized();
        tokens.expect(")");
        tokens.exit();
        yield inner;
      }
      case "[" -> {
        List<Expr> items = new ArrayList<>();
        while (!tokens.peek().operator("]")) {
          items.add(expressions.expression());
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
          keys.add(expressions.expression());
          tokens.expect(":");
          values.add(expressions.expression());
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

  Expr postfix(Expr start) {
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
    if (parts.size() > 1 && parts.stream().anyMatch(Expr.Slice.class::isInstance)) {
      throw tokens.error("expected a slice in a subscript of its own", at);
    }
    return parts.size() == 1 ? parts.getFirst() : new Expr.TupleOf(at, parts);
  }

  private Expr subscriptPart() {
    int at = tokens.peek().at();
    Expr start = tokens.peek().operator(":") ? null : expressions.expression();
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
    return token.operator(":") || token.operator("]") || token.operator(",")
        ? null
        : expressions.expression();
  }

  Expr filtersAndTests(Expr start) {
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
      case NAME -> !ENDS.contains(token.text());
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
        star = expressions.expression();
      } else if (tokens.skip("**")) {
        doubleStar = expressions.expression();
      } else if (tokens.peek().is(Kind.NAME) && tokens.peekSecond().operator("=")) {
        String name = tokens.take().text();
        if (names.contains(name)) {
          throw tokens.error("expected the argument " + name + " once only", at);
        }
        tokens.few(names.size());
        names.add(name);
        tokens.take();
        named.add(expressions.expression());
      } else {
        ordered &= star == null && names.isEmpty();
        positional.add(expressions.expression());
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
