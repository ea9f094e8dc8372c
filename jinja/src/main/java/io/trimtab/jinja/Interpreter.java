package io.trimtab.jinja;

import io.trimtab.jinja.Stmt.Target;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Carries out statements: one rendering of a template. */
final class Interpreter {
  /** How a list of statements ended. */
  private enum Flow {
    ON,
    BREAK,
    CONTINUE
  }

  private final Budget budget;
  private final Evaluator evaluator;
  private final Scope root;
  private final StringBuilder rendered = new StringBuilder();
  private final List<Rendering.Span> generations = new ArrayList<>();
  private StringBuilder out = rendered;

  Interpreter(Budget budget, Scope root) {
    this.budget = budget;
    this.evaluator = new Evaluator(budget);
    this.root = root;
  }

  Budget budget() {
    return budget;
  }

  /** The place in the source that was reached last. */
  int at() {
    return evaluator.at();
  }

  Rendering render(List<Stmt> body) {
    run(body, root);
    budget.text(rendered.length());
    return new Rendering(rendered.toString(), generations);
  }

  private Flow run(List<Stmt> body, Scope scope) {
    budget.enter();
    Flow flow = Flow.ON;
    for (Stmt statement : body) {
      budget.step();
      flow = run(statement, scope);
      if (flow != Flow.ON) {
        break;
      }
    }
    budget.exit();
    return flow;
  }

  private Flow run(Stmt statement, Scope scope) {
    switch (statement) {
      case Stmt.Text text -> write(text.text());
      case Stmt.Print print -> {
        for (Expr value : print.values()) {
          write(Repr.string(evaluator.evaluate(value, scope), budget));
        }
      }
      case Stmt.If branches -> {
        return choose(branches, scope);
      }
      case Stmt.For loop -> {
        return repeat(loop, evaluator.evaluate(loop.items(), scope), 0, scope);
      }
      case Stmt.Set set -> assign(set.target(), evaluator.evaluate(set.value(), scope), scope);
      case Stmt.SetBlock set -> {
        StringBuilder around = capture();
        Flow flow = run(set.body(), new Scope(scope, budget));
        String text = captured(around);
        if (flow != Flow.ON) {
          return flow;
        }
        assign(set.target(), evaluator.filtered(set.filtered(), text, scope), scope);
      }
      case Stmt.FilterBlock filter -> {
        StringBuilder around = capture();
        Scope inner = new Scope(scope, budget);
        Flow flow = run(filter.body(), inner);
        String text = captured(around);
        if (flow != Flow.ON) {
          return flow;
        }
        write(Repr.string(evaluator.filtered(filter.filtered(), text, inner), budget));
      }
      case Stmt.With with -> {
        Scope inner = new Scope(scope, budget);
        for (int i = 0; i < with.targets().size(); i++) {
          assign(with.targets().get(i), evaluator.evaluate(with.values().get(i), scope), inner);
        }
        return run(with.body(), inner);
      }
      case Stmt.Block block -> {
        if (block.required()) {
          evaluator.moveTo(block.at());
          throw new JinjaException.WrongValue(
              "Required block '" + Undefined.shown(block.name()) + "' not found");
        }
        return run(block.body(), new Scope(block.scoped() ? scope : root, budget));
      }
      case Stmt.DefineMacro define ->
          scope.set(define.macro().name(), macro(define.macro(), scope), budget);
      case Stmt.CallBlock call -> call(call, scope);
      case Stmt.Generation generation -> {
        StringBuilder around = capture();
        run(generation.body(), new Scope(scope, budget));
        String text = captured(around);
        int start = rendered.length();
        write(text);
        budget.objects(1);
        generations.add(new Rendering.Span(start, start + text.length()));
      }
      case Stmt.Break end -> {
        return Flow.BREAK;
      }
      case Stmt.Continue next -> {
        return Flow.CONTINUE;
      }
      case Stmt.OtherTemplate other -> {
        evaluator.moveTo(other.at());
        throw new JinjaException.WrongValue(
            "expected a template on its own, found " + other.tag() + " of another one");
      }
    }
    return Flow.ON;
  }

  private void write(String text) {
    budget.output((long) out.length() + text.length());
    budget.text(text.length());
    out.append(text);
  }

  private StringBuilder capture() {
    StringBuilder around = out;
    out = new StringBuilder();
    return around;
  }

  private String captured(StringBuilder around) {
    budget.text(out.length());
    String text = out.toString();
    out = around;
    return text;
  }

  private Flow choose(Stmt.If branches, Scope scope) {
    for (Stmt.Branch branch : branches.branches()) {
      if (Values.truth(evaluator.evaluate(branch.test(), scope))) {
        return run(branch.body(), scope);
      }
    }
    return run(branches.otherwise(), scope);
  }

  private Flow repeat(Stmt.For loop, Object iterable, int depth, Scope scope) {
    List<Object> items = Values.items(iterable, budget);
    if (loop.test() != null) {
      items = selected(loop, items, scope);
    }
    budget.objects(3);
    LoopState state =
        new LoopState(
            items, depth, loop.recursive() ? inner -> again(loop, inner, depth, scope) : null);
    boolean ran = false;
    while (state.next()) {
      budget.step();
      Scope pass = new Scope(scope, budget);
      assign(loop.target(), state.item(), pass);
      pass.set("loop", state, budget);
      Flow flow = run(loop.body(), pass);
      // As in Jinja, a pass that is cut short does not count against the else.
      ran |= flow == Flow.ON;
      if (flow == Flow.BREAK) {
        break;
      }
    }
    return ran || loop.otherwise().isEmpty()
        ? Flow.ON
        : run(loop.otherwise(), new Scope(scope, budget));
  }

  private List<Object> selected(Stmt.For loop, List<Object> items, Scope scope) {
    List<Object> selected = new ArrayList<>();
    for (Object item : items) {
      budget.items(1);
      Scope inner = new Scope(scope, budget);
      assign(loop.target(), item, inner);
      if (loop.test() != null && Values.truth(evaluator.evaluate(loop.test(), inner))) {
        selected.add(item);
      }
    }
    return selected;
  }

  private Object again(Stmt.For loop, Object items, int depth, Scope scope) {
    budget.enter();
    StringBuilder around = capture();
    repeat(loop, items, depth + 1, scope);
    String text = captured(around);
    budget.exit();
    return text;
  }

  private void call(Stmt.CallBlock block, Scope scope) {
    Expr.Call call = block.call();
    Object callee = evaluator.evaluate(call.callee(), scope);
    Args args = evaluator.arguments(call.arguments(), scope);
    budget.entries(args.named().size() + 1L);
    Map<String, Object> named = new LinkedHashMap<>(args.named());
    named.put("caller", macro(block.caller(), scope));
    evaluator.moveTo(call.at());
    write(Repr.string(evaluator.call(callee, new Args(args.positional(), named)), budget));
  }

  private Macro macro(Stmt.MacroCode code, Scope scope) {
    budget.objects(1);
    return new Macro(code, scope, this);
  }

  /**
   * What a macro renders to, once its arguments are in its scope.
   *
   * @param missing the places of the parameters that were not given
   */
  String macroBody(Stmt.MacroCode code, List<Integer> missing, Scope scope) {
    budget.enter();
    int required = code.parameters().size() - code.defaults().size();
    for (int place : missing) {
      String parameter = code.parameters().get(place);
      budget.objects(4);
      scope.set(
          parameter,
          place >= required
              ? evaluator.evaluate(code.defaults().get(place - required), scope)
              : Undefined.of("parameter '" + Undefined.shown(parameter) + "' was not provided"));
    }
    StringBuilder around = capture();
    run(code.body(), scope);
    String text = captured(around);
    budget.exit();
    return text;
  }

  private void assign(Target target, Object value, Scope scope) {
    switch (target) {
      case Target.Name name -> scope.set(name.name(), value, budget);
      case Target.Unpack unpack -> {
        List<Object> items = Values.items(value, budget);
        if (items.size() != unpack.targets().size()) {
          throw new JinjaException.WrongValue(
              "expected %d values to unpack, found %d"
                  .formatted(unpack.targets().size(), items.size()));
        }
        for (int i = 0; i < items.size(); i++) {
          assign(unpack.targets().get(i), items.get(i), scope);
        }
      }
      case Target.NamespaceAttribute attribute -> {
        if (!(scope.get(attribute.namespace(), budget) instanceof Namespace namespace)) {
          evaluator.moveTo(attribute.at());
          throw new JinjaException.WrongValue(
              "cannot assign attribute on non-namespace object " + attribute.namespace());
        }
        namespace.set(attribute.attribute(), value, budget);
      }
    }
  }
}
