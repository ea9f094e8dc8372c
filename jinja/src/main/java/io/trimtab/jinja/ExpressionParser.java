package io.trimtab.jinja;

import io.trimtab.jinja.Token.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Parses expressions by recursive descent; a method a level of precedence, loosest first. */
final class ExpressionParser {
  private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");

  private static final Set<String> PRODUCTS = Set.of("*", "/", "//", "%");

  private final TokenStream tokens;
  private final NameUse uses;
  private final OperandParser operands;

  ExpressionParser(TokenStream tokens, NameUse uses) {
    this.tokens = tokens;
    this.uses = uses;
    this.operands = new OperandParser(tokens, uses, this);
  }

  /** For what stands between operators. */
  OperandParser operands() {
    return operands;
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

  /** What stands in parentheses: an expression or a tuple, which may be empty. */
  Expr parenthesized() {
    return tuple(this::expression, null, true);
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
    while (tokens.peek().is(Kind.OPERATOR) && PRODUCTS.contains(tokens.peek().text())) {
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
      value = operands.primary();
    }
    value = operands.postfix(value);
    return filters ? operands.filtersAndTests(value) : value;
  }
}
