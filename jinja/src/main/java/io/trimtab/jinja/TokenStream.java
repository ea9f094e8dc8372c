package io.trimtab.jinja;

import io.trimtab.jinja.Token.Kind;
import java.util.List;

/** The tokens of a template, one after the other, and the bound on how deeply they nest. */
final class TokenStream {
  private static final int MAX_NAMES = 1000;

  private final Source source;
  private final List<Token> tokens;
  private final int maxDepth;
  private int next;
  private int depth;

  TokenStream(Source source, int maxDepth) {
    this.source = source;
    this.tokens = Lexer.tokens(source);
    this.maxDepth = maxDepth;
  }

  Token peek() {
    return tokens.get(next);
  }

  Token peekSecond() {
    return tokens.get(Math.min(next + 1, tokens.size() - 1));
  }

  Token take() {
    Token token = peek();
    if (!token.is(Kind.END)) {
      next++;
    }
    return token;
  }

  boolean skip(String operator) {
    boolean found = peek().operator(operator);
    if (found) {
      next++;
    }
    return found;
  }

  boolean skipName(String word) {
    boolean found = peek().name(word);
    if (found) {
      next++;
    }
    return found;
  }

  Token expect(Kind kind) {
    if (!peek().is(kind)) {
      throw unexpected(kind.shown());
    }
    return take();
  }

  void expect(String operator) {
    if (!skip(operator)) {
      throw unexpected("'" + operator + "'");
    }
  }

  void expectName(String word) {
    if (!skipName(word)) {
      throw unexpected("'" + word + "'");
    }
  }

  JinjaException unexpected(String expected) {
    return error("expected " + expected + ", found " + peek().shown(), peek().at());
  }

  JinjaException error(String reason, int at) {
    return source.error(reason, at);
  }

  /** Keeps lists of names short, which are searched one by one. */
  void few(int names) {
    if (names >= MAX_NAMES) {
      throw error("expected at most " + MAX_NAMES + " names here", peek().at());
    }
  }

  void enter() {
    if (++depth > maxDepth) {
      int at = peek().at();
      throw Budget.exceeded(maxDepth + " levels of nested source")
          .at(source.line(at), source.column(at));
    }
  }

  void exit() {
    depth--;
  }
}
