package io.trimtab.jinja;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** A statement of a template, its plain text included. */
sealed interface Stmt {
  record Text(String text) implements Stmt {}

  record Print(List<Expr> values) implements Stmt {}

  record If(List<Branch> branches, List<Stmt> otherwise) implements Stmt {}

  record Branch(Expr test, List<Stmt> body) {}

  record For(
      Target target,
      Expr items,
      @Nullable Expr test,
      boolean recursive,
      List<Stmt> body,
      List<Stmt> otherwise)
      implements Stmt {}

  record Set(Target target, Expr value) implements Stmt {}

  record SetBlock(Target target, Expr filtered, List<Stmt> body) implements Stmt {}

  record FilterBlock(Expr filtered, List<Stmt> body) implements Stmt {}

  record With(List<Target> targets, List<Expr> values, List<Stmt> body) implements Stmt {}

  /** A block; one that is required stands for what another template was to put in its place. */
  record Block(int at, String name, boolean scoped, boolean required, List<Stmt> body)
      implements Stmt {}

  record DefineMacro(MacroCode macro) implements Stmt {}

  record CallBlock(MacroCode caller, Expr.Call call) implements Stmt {}

  record Generation(List<Stmt> body) implements Stmt {}

  record Break() implements Stmt {}

  record Continue() implements Stmt {}

  /** An {@code include}, {@code import}, {@code from} or {@code extends}. */
  record OtherTemplate(int at, String tag) implements Stmt {}

  /**
   * A macro, or the body of a call block.
   *
   * @param defaults those of the last parameters
   * @param uses which of {@code caller}, {@code varargs} and {@code kwargs} the body reads
   */
  record MacroCode(
      String name,
      List<String> parameters,
      List<Expr> defaults,
      java.util.Set<String> uses,
      List<Stmt> body) {}

  /** What is assigned to. */
  sealed interface Target {
    record Name(String name) implements Target {}

    record Unpack(List<Target> targets) implements Target {}

    record NamespaceAttribute(int at, String namespace, String attribute) implements Target {}
  }
}
