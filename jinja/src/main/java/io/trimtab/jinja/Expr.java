package io.trimtab.jinja;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** An expression of a template; {@code at} is its place in the source. */
sealed interface Expr {
  int at();

  record Const(int at, Object value) implements Expr {}

  record Name(int at, String name) implements Expr {}

  record ListOf(int at, List<Expr> items) implements Expr {}

  record TupleOf(int at, List<Expr> items) implements Expr {}

  record DictOf(int at, List<Expr> keys, List<Expr> values) implements Expr {}

  record Not(int at, Expr operand) implements Expr {}

  record Sign(int at, boolean negative, Expr operand) implements Expr {}

  record And(int at, Expr left, Expr right) implements Expr {}

  record Or(int at, Expr left, Expr right) implements Expr {}

  record Arithmetic(int at, String operator, Expr left, Expr right) implements Expr {}

  record Concat(int at, List<Expr> parts) implements Expr {}

  /** A chain such as {@code a < b <= c}; {@code operators} are one fewer than {@code operands}. */
  record Compare(int at, List<Expr> operands, List<String> operators) implements Expr {}

  record Conditional(int at, Expr test, Expr then, @Nullable Expr otherwise) implements Expr {}

  record Attribute(int at, Expr object, String name) implements Expr {}

  record Item(int at, Expr object, Expr index) implements Expr {}

  record Slice(int at, @Nullable Expr start, @Nullable Expr stop, @Nullable Expr step)
      implements Expr {}

  record Call(int at, Expr callee, Arguments arguments) implements Expr {}

  record Filter(int at, Expr input, String name, Arguments arguments) implements Expr {}

  record Test(int at, Expr input, String name, Arguments arguments) implements Expr {}

  /** What a block filters: the text that was rendered inside it. */
  record Captured(int at) implements Expr {}

  /** Arguments of a call; {@code star} and {@code doubleStar} are spread. */
  record Arguments(
      List<Expr> positional,
      List<String> names,
      List<Expr> named,
      @Nullable Expr star,
      @Nullable Expr doubleStar) {
    static final Arguments NONE = new Arguments(List.of(), List.of(), List.of(), null, null);

    boolean isEmpty() {
      return positional.isEmpty() && names.isEmpty() && star == null && doubleStar == null;
    }
  }
}
