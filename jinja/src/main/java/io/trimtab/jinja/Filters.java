package io.trimtab.jinja;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/** Jinja's filters by name. */
final class Filters {
  /** What a filter does to a value. */
  @FunctionalInterface
  interface Body {
    Object apply(Object input, Args args, Evaluator evaluator);
  }

  /** Filters of Jinja's that are an error when they are reached: chance, and layout for people. */
  private static final Set<String> REFUSED = Set.of("pprint", "random", "urlize", "wordwrap");

  private static final Map<String, Body> ALL = all();

  private Filters() {}

  private static Map<String, Body> all() {
    Map<String, Body> all = new HashMap<>();
    TextFilters.register(all);
    SequenceFilters.register(all);
    NumberFilters.register(all);
    return Map.copyOf(all);
  }

  static boolean known(String name) {
    return ALL.containsKey(name) || REFUSED.contains(name);
  }

  static Object apply(String name, Object input, Args args, Evaluator evaluator) {
    Body body = ALL.get(name);
    if (body != null) {
      return body.apply(input, args, evaluator);
    }
    throw new JinjaException.WrongValue(
        REFUSED.contains(name)
            ? "the filter '" + name + "' is not supported"
            : "no filter named '" + Undefined.shown(name) + "'");
  }
}
