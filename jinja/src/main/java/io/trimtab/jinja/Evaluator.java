package io.trimtab.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Evaluates expressions. */
final class Evaluator {
  private final Budget budget;
  private int at;
  private @Nullable String captured;

  Evaluator(Budget budget) {
    this.budget = budget;
  }

  Budget budget() {
    return budget;
  }

  /** The place in the source of what was evaluated last. */
  int at() {
    return at;
  }

  void moveTo(int place) {
    at = place;
  }

  Object evaluate(Expr expr, Scope scope) {
    budget.step();
    budget.enter();
    at = expr.at();
    Object value =
        switch (expr) {
          case Expr.Const constant -> constant.value();
          case Expr.Name name -> lookup(name.name(), scope);
          case Expr.Attribute attribute -> {
            Object object = evaluate(attribute.object(), scope);
            at = expr.at();
            yield Attributes.attribute(object, attribute.name(), budget);
          }
          case Expr.Item item -> item(item, scope);
          case Expr.Not not -> !Values.truth(evaluate(not.operand(), scope));
          case Expr.And and -> {
            Object left = evaluate(and.left(), scope);
            yield Values.truth(left) ? evaluate(and.right(), scope) : left;
          }
          case Expr.Or or -> {
            Object left = evaluate(or.left(), scope);
            yield Values.truth(left) ? left : evaluate(or.right(), scope);
          }
          case Expr.Compare compare -> compare(compare, scope);
          case Expr.Arithmetic arithmetic -> {
            Object left = evaluate(arithmetic.left(), scope);
            Object right = evaluate(arithmetic.right(), scope);
            at = expr.at();
            yield Operators.arithmetic(arithmetic.operator(), left, right, budget);
          }
          case Expr.Concat concat -> concat(concat, scope);
          case Expr.Call call -> {
            Object callee = evaluate(call.callee(), scope);
            Args args = arguments(call.arguments(), scope);
            at = expr.at();
            yield call(callee, args);
          }
          case Expr.Filter filter -> {
            Object input = evaluate(filter.input(), scope);
            Args args = arguments(filter.arguments(), scope);
            at = expr.at();
            yield Filters.apply(filter.name(), input, args, this);
          }
          case Expr.Test test -> {
            Object input = evaluate(test.input(), scope);
            Args args = arguments(test.arguments(), scope);
            at = expr.at();
            yield Tests.apply(test.name(), input, args, this);
          }
          case Expr.Conditional conditional -> conditional(conditional, scope);
          case Expr.ListOf list -> all(list.items(), scope);
          case Expr.TupleOf tuple -> {
            budget.objects(1);
            yield new Tuple(all(tuple.items(), scope));
          }
          case Expr.DictOf dict -> dict(dict, scope);
          case Expr.Sign sign -> {
            Object operand = evaluate(sign.operand(), scope);
            if (!Numbers.isNumber(operand)) {
              throw Values.unsupported(sign.negative() ? "unary -" : "unary +", operand, operand);
            }
            yield operand instanceof Double real
                ? (Object) (sign.negative() ? -real : real)
                : Operators.arithmetic(sign.negative() ? "-" : "+", 0L, operand, budget);
          }
          case Expr.Slice slice ->
              throw new IllegalStateException("a slice is parsed in a subscript of its own alone");
          case Expr.Captured hole -> captured == null ? "" : captured;
        };
    budget.exit();
    return value;
  }

  /** The value of a block's filters on the text that was rendered inside it. */
  Object filtered(Expr filters, String text, Scope scope) {
    String around = captured;
    captured = text;
    Object value = evaluate(filters, scope);
    captured = around;
    return value;
  }

  private Object lookup(String name, Scope scope) {
    Object value = scope.get(name, budget);
    if (value != null) {
      return value;
    }
    budget.objects(4);
    value = Globals.find(name, budget);
    return value != null ? value : Undefined.of("'" + Undefined.shown(name) + "' is undefined");
  }

  Object call(Object callee, Args args) {
    if (callee instanceof Undefined undefined) {
      throw undefined.used();
    }
    if (!(callee instanceof Callable callable)) {
      throw new JinjaException.WrongValue("'" + Values.type(callee) + "' object is not callable");
    }
    return callable.call(args);
  }

  private Object item(Expr.Item item, Scope scope) {
    Object object = evaluate(item.object(), scope);
    if (item.index() instanceof Expr.Slice slice) {
      Object start = bound(slice.start(), scope);
      Object stop = bound(slice.stop(), scope);
      Object step = bound(slice.step(), scope);
      at = item.at();
      return Attributes.slice(object, start, stop, step, budget);
    }
    Object index = evaluate(item.index(), scope);
    at = item.at();
    return Attributes.item(object, index, budget);
  }

  private Object bound(@Nullable Expr bound, Scope scope) {
    return bound == null ? None.NONE : evaluate(bound, scope);
  }

  private Object compare(Expr.Compare compare, Scope scope) {
    Object left = evaluate(compare.operands().getFirst(), scope);
    for (int i = 0; i < compare.operators().size(); i++) {
      Object right = evaluate(compare.operands().get(i + 1), scope);
      at = compare.at();
      if (!Operators.compare(compare.operators().get(i), left, right, budget)) {
        return false;
      }
      left = right;
    }
    return true;
  }

  private String concat(Expr.Concat concat, Scope scope) {
    List<Object> parts = all(concat.parts(), scope);
    StringBuilder out = new StringBuilder();
    for (Object part : parts) {
      String text = Repr.string(part, budget);
      budget.fits((long) out.length() + text.length());
      out.append(text);
    }
    budget.text(out.length());
    return out.toString();
  }

  private Object conditional(Expr.Conditional conditional, Scope scope) {
    if (Values.truth(evaluate(conditional.test(), scope))) {
      return evaluate(conditional.then(), scope);
    }
    return conditional.otherwise() != null
        ? evaluate(conditional.otherwise(), scope)
        : Undefined.of("the condition is false, and there is no else");
  }

  private List<Object> all(List<Expr> items, Scope scope) {
    budget.items(items.size());
    List<Object> out = new ArrayList<>(items.size());
    for (Expr item : items) {
      out.add(evaluate(item, scope));
    }
    return out;
  }

  private Dict dict(Expr.DictOf expr, Scope scope) {
    budget.objects(2);
    Dict dict = new Dict();
    for (int i = 0; i < expr.keys().size(); i++) {
      Object key = evaluate(expr.keys().get(i), scope);
      dict.put(key, evaluate(expr.values().get(i), scope), budget);
    }
    return dict;
  }

  Args arguments(Expr.Arguments arguments, Scope scope) {
    if (arguments.isEmpty()) {
      return Args.NONE;
    }
    List<Object> positional = all(arguments.positional(), scope);
    budget.entries(arguments.names().size());
    Map<String, Object> named = new LinkedHashMap<>();
    for (int i = 0; i < arguments.names().size(); i++) {
      named.put(arguments.names().get(i), evaluate(arguments.named().get(i), scope));
    }
    if (arguments.star() != null) {
      List<Object> more = Values.items(evaluate(arguments.star(), scope), budget);
      budget.items(more.size());
      positional.addAll(more);
    }
    if (arguments.doubleStar() != null) {
      spread(evaluate(arguments.doubleStar(), scope), named);
    }
    return new Args(positional, named);
  }

  private void spread(Object value, Map<String, Object> named) {
    if (value instanceof Undefined undefined) {
      throw undefined.used();
    }
    if (!(value instanceof Dict dict)) {
      throw new JinjaException.WrongValue(
          "expected a mapping behind **, found a " + Values.type(value));
    }
    budget.entries(dict.size());
    for (Dict.Entry entry : dict.entries()) {
      if (!(entry.key() instanceof String name)) {
        throw new JinjaException.WrongValue("expected names as the keys of a mapping behind **");
      }
      budget.work(name.length());
      if (named.put(name, entry.value()) != null) {
        throw new JinjaException.WrongValue(
            "expected the argument " + Undefined.shown(name) + " once only");
      }
    }
  }
}
