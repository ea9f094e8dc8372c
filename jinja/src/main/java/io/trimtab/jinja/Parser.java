package io.trimtab.jinja;

import io.trimtab.jinja.Stmt.Target;
import io.trimtab.jinja.Token.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Parses a template: its text, its printed expressions and its blocks. */
final class Parser {
  private final TokenStream tokens;
  private final NameUse uses;
  private final ExpressionParser expressions;
  private int loops;

  private Parser(TokenStream tokens) {
    this.tokens = tokens;
    this.uses = new NameUse(tokens);
    this.expressions = new ExpressionParser(tokens, uses);
  }

  static List<Stmt> parse(Source source, int maxDepth) {
    Parser parser = new Parser(new TokenStream(source, maxDepth));
    List<Stmt> body = parser.statements(Set.of());
    parser.uses.refuse(0);
    return body;
  }

  /** Statements up to a block that begins with one of these words, or to the template's end. */
  private List<Stmt> statements(Set<String> ends) {
    tokens.enter();
    List<Stmt> out = new ArrayList<>();
    while (true) {
      Token token = tokens.take();
      switch (token.kind()) {
        case TEXT -> out.add(new Stmt.Text(token.text()));
        case PRINT_BEGIN -> {
          out.add(new Stmt.Print(List.of(expressions.tuple(true, null))));
          tokens.expect(Kind.PRINT_END);
        }
        case BLOCK_BEGIN -> {
          Token tag = tokens.peek();
          if (tag.is(Kind.NAME) && ends.contains(tag.text())) {
            tokens.exit();
            return List.copyOf(out);
          }
          out.add(statement(tokens.expect(Kind.NAME), ends));
          tokens.expect(Kind.BLOCK_END);
        }
        default -> {
          if (!ends.isEmpty()) {
            throw tokens.error("expected " + tags(ends) + ", found " + token.shown(), token.at());
          }
          tokens.exit();
          return List.copyOf(out);
        }
      }
    }
  }

  private static String tags(Set<String> ends) {
    return String.join(" or ", ends.stream().sorted().map(end -> "{% " + end + " %}").toList());
  }

  /** The body of a block, from the end of its opening tag to the word of its closing one. */
  private List<Stmt> body(String... ends) {
    tokens.skip(":");
    tokens.expect(Kind.BLOCK_END);
    return statements(Set.of(ends));
  }

  /** A body that has its own variables; its unknown filters are errors in any case. */
  private List<Stmt> scopedBody(String... ends) {
    int mark = uses.mark();
    List<Stmt> body = body(ends);
    uses.refuse(mark);
    return body;
  }

  private Stmt statement(Token tag, Set<String> ends) {
    return switch (tag.text()) {
      case "if" -> ifBlock();
      case "for" -> forBlock();
      case "set" -> set();
      case "macro" -> macro();
      case "call" -> call();
      case "filter" -> {
        Expr filtered =
            expressions
                .operands()
                .filters(expressions.operands().filter(new Expr.Captured(tokens.peek().at())));
        List<Stmt> body = scopedBody("endfilter");
        tokens.take();
        yield new Stmt.FilterBlock(filtered, body);
      }
      case "with" -> with();
      case "block" -> block();
      case "print" -> {
        List<Expr> values = new ArrayList<>();
        while (!tokens.peek().is(Kind.BLOCK_END)) {
          if (!values.isEmpty()) {
            tokens.expect(",");
          }
          values.add(expressions.expression());
        }
        yield new Stmt.Print(values);
      }
      case "generation" -> {
        int around = loops;
        loops = 0;
        List<Stmt> body = scopedBody("endgeneration");
        loops = around;
        tokens.take();
        yield new Stmt.Generation(body);
      }
      case "break", "continue" -> {
        if (loops == 0) {
          throw tokens.error("expected " + tag.text() + " within a loop only", tag.at());
        }
        yield tag.text().equals("break") ? new Stmt.Break() : new Stmt.Continue();
      }
      case "include", "import", "from", "extends" -> {
        while (!tokens.peek().is(Kind.BLOCK_END)) {
          tokens.take();
          if (tokens.peek().is(Kind.END)) {
            throw tokens.unexpected("%}");
          }
        }
        yield new Stmt.OtherTemplate(tag.at(), tag.text());
      }
      case "autoescape" ->
          throw tokens.error(
              "autoescape is not supported; remove the block, or use the filter escape", tag.at());
      default ->
          throw tokens.error(
              "expected a tag of Jinja's"
                  + (ends.isEmpty() ? "" : " or " + tags(ends))
                  + ", found '"
                  + tag.text()
                  + "'",
              tag.at());
    };
  }

  private Stmt ifBlock() {
    int mark = uses.mark();
    List<Stmt.Branch> branches = new ArrayList<>();
    List<Stmt> otherwise = List.of();
    String next;
    do {
      Expr test = expressions.tuple(false, null);
      branches.add(new Stmt.Branch(test, body("elif", "else", "endif")));
      next = tokens.take().text();
    } while (next.equals("elif"));
    if (next.equals("else")) {
      otherwise = body("endif");
      tokens.take();
    }
    uses.tolerate(mark);
    return new Stmt.If(branches, otherwise);
  }

  private Stmt forBlock() {
    Target target = target("in", false);
    tokens.expectName("in");
    Expr items = expressions.tuple(false, "recursive");
    int mark = uses.mark();
    Expr test = tokens.skipName("if") ? expressions.expression() : null;
    boolean recursive = tokens.skipName("recursive");
    loops++;
    List<Stmt> body = body("endfor", "else");
    loops--;
    List<Stmt> otherwise = List.of();
    if (tokens.take().text().equals("else")) {
      otherwise = body("endfor");
      tokens.take();
    }
    uses.refuse(mark);
    return new Stmt.For(target, items, test, recursive, body, otherwise);
  }

  private Stmt set() {
    Target target = target(null, true);
    if (tokens.skip("=")) {
      return new Stmt.Set(target, expressions.tuple(true, null));
    }
    Expr filtered = expressions.operands().filters(new Expr.Captured(tokens.peek().at()));
    List<Stmt> body = scopedBody("endset");
    tokens.take();
    return new Stmt.SetBlock(target, filtered, body);
  }

  private Stmt with() {
    List<Target> targets = new ArrayList<>();
    List<Expr> values = new ArrayList<>();
    while (!tokens.peek().is(Kind.BLOCK_END) && !tokens.peek().operator(":")) {
      if (!targets.isEmpty()) {
        tokens.expect(",");
      }
      targets.add(target(null, false));
      tokens.expect("=");
      values.add(expressions.expression());
    }
    List<Stmt> body = scopedBody("endwith");
    tokens.take();
    return new Stmt.With(targets, values, body);
  }

  private Stmt block() {
    int at = tokens.peek().at();
    String name = tokens.expect(Kind.NAME).text();
    boolean scoped = tokens.skipName("scoped");
    boolean required = tokens.skipName("required");
    int around = loops;
    loops = 0;
    List<Stmt> body = scopedBody("endblock");
    loops = around;
    tokens.take();
    tokens.skipName(name);
    if (required && !body.stream().allMatch(Parser::isBlank)) {
      throw tokens.error("expected whitespace alone in a required block", at);
    }
    return new Stmt.Block(at, name, scoped, required, body);
  }

  private static boolean isBlank(Stmt part) {
    return part instanceof Stmt.Text text && Strings.isBlank(text.text(), 0);
  }

  private Stmt macro() {
    String name = tokens.expect(Kind.NAME).text();
    List<String> parameters = new ArrayList<>();
    List<Expr> defaults = new ArrayList<>();
    uses.enterMacro();
    signature(parameters, defaults);
    return new Stmt.DefineMacro(macroBody(name, parameters, defaults, "endmacro"));
  }

  private Stmt call() {
    int at = tokens.peek().at();
    List<String> parameters = new ArrayList<>();
    List<Expr> defaults = new ArrayList<>();
    uses.enterMacro();
    if (tokens.peek().operator("(")) {
      signature(parameters, defaults);
    }
    Expr callee = expressions.expression();
    if (!(callee instanceof Expr.Call call)) {
      throw tokens.error("expected the call of a macro", at);
    }
    return new Stmt.CallBlock(macroBody("caller", parameters, defaults, "endcall"), call);
  }

  private Stmt.MacroCode macroBody(
      String name, List<String> parameters, List<Expr> defaults, String end) {
    int around = loops;
    loops = 0;
    List<Stmt> body = scopedBody(end);
    loops = around;
    tokens.take();
    return new Stmt.MacroCode(name, parameters, defaults, uses.exitMacro(), body);
  }

  private void signature(List<String> parameters, List<Expr> defaults) {
    tokens.expect("(");
    while (!tokens.peek().operator(")")) {
      if (!parameters.isEmpty()) {
        tokens.expect(",");
      }
      Token name = tokens.expect(Kind.NAME);
      if (parameters.contains(name.text())) {
        throw tokens.error("expected the parameter " + name.text() + " once only", name.at());
      }
      tokens.few(parameters.size());
      parameters.add(name.text());
      if (tokens.skip("=")) {
        defaults.add(expressions.expression());
      } else if (!defaults.isEmpty()) {
        throw tokens.error("expected a default for " + name.text() + " too", name.at());
      }
    }
    tokens.expect(")");
  }

  private Target target(@org.jspecify.annotations.Nullable String endWord, boolean namespaces) {
    List<Target> parts = new ArrayList<>();
    boolean comma = false;
    while (true) {
      Token token = tokens.peek();
      if (!parts.isEmpty()
          && (token.is(Kind.BLOCK_END) || token.operator("=") || isWord(token, endWord))) {
        break;
      }
      if (namespaces && token.is(Kind.NAME) && tokens.peekSecond().operator(".")) {
        tokens.take();
        tokens.take();
        String attribute = tokens.expect(Kind.NAME).text();
        parts.add(new Target.NamespaceAttribute(token.at(), token.text(), attribute));
      } else {
        parts.add(assignable(expressions.operands().primary()));
      }
      if (!tokens.skip(",")) {
        break;
      }
      comma = true;
    }
    return comma ? new Target.Unpack(parts) : parts.getFirst();
  }

  private static boolean isWord(Token token, @org.jspecify.annotations.Nullable String word) {
    return word != null && token.name(word);
  }

  private Target assignable(Expr expr) {
    return switch (expr) {
      case Expr.Name name -> new Target.Name(name.name());
      case Expr.TupleOf tuple ->
          new Target.Unpack(tuple.items().stream().map(this::assignable).toList());
      default -> throw tokens.error("expected a name to assign to", expr.at());
    };
  }
}
