package io.trimtab.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A macro with the variables around it. */
record Macro(Stmt.MacroCode code, Scope around, Interpreter interpreter) implements Callable {
  @Override
  public String name() {
    return code.name();
  }

  @Nullable Object attribute(String attribute) {
    return switch (attribute) {
      case "name" -> code.name();
      case "arguments" -> new Tuple(List.copyOf(code.parameters()));
      case "caller" -> code.uses().contains("caller");
      case "catch_kwargs" -> code.uses().contains("kwargs");
      case "catch_varargs" -> code.uses().contains("varargs");
      default -> null;
    };
  }

  @Override
  public Object call(Args args) {
    List<String> parameters = code.parameters();
    Budget budget = interpreter.budget();
    // Each parameter is looked at, however few of them are given.
    budget.work(16L * parameters.size());
    budget.entries((long) parameters.size() + args.named().size());
    Scope scope = new Scope(around, budget);
    Map<String, Object> named = new LinkedHashMap<>(args.named());
    int given = Math.min(args.positional().size(), parameters.size());
    List<Integer> missing = new ArrayList<>();
    for (int i = 0; i < parameters.size(); i++) {
      String parameter = parameters.get(i);
      Object value = i < given ? args.positional().get(i) : named.remove(parameter);
      if (value != null) {
        scope.set(parameter, value);
      } else {
        missing.add(i);
      }
    }
    if (code.uses().contains("caller") && !parameters.contains("caller")) {
      Object caller = named.remove("caller");
      scope.set("caller", caller != null ? caller : Undefined.of("no caller defined"));
    }
    if (code.uses().contains("kwargs")) {
      Dict kwargs = new Dict();
      named.forEach((key, value) -> kwargs.put(key, value, budget));
      scope.set("kwargs", kwargs);
    } else if (!named.isEmpty()) {
      throw new JinjaException.WrongValue(
          "macro '%s' takes no keyword argument '%s'"
              .formatted(name(), Undefined.shown(named.keySet().iterator().next())));
    }
    List<Object> rest = args.positional().subList(given, args.positional().size());
    if (code.uses().contains("varargs")) {
      budget.items(rest.size());
      scope.set("varargs", new Tuple(List.copyOf(rest)));
    } else if (!rest.isEmpty()) {
      throw new JinjaException.WrongValue(
          "macro '%s' takes not more than %d arguments".formatted(name(), parameters.size()));
    }
    return interpreter.macroBody(code, missing, scope);
  }
}
