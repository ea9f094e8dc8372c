package io.trimtab.jinja;

import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/** Jinja's tests by name: what stands behind {@code is}. */
final class Tests {
  private static final Map<String, String> COMPARISONS =
      Map.ofEntries(
          Map.entry("eq", "=="),
          Map.entry("equalto", "=="),
          Map.entry("==", "=="),
          Map.entry("ne", "!="),
          Map.entry("!=", "!="),
          Map.entry("lt", "<"),
          Map.entry("lessthan", "<"),
          Map.entry("<", "<"),
          Map.entry("le", "<="),
          Map.entry("<=", "<="),
          Map.entry("gt", ">"),
          Map.entry("greaterthan", ">"),
          Map.entry(">", ">"),
          Map.entry("ge", ">="),
          Map.entry(">=", ">="),
          Map.entry("in", "in"));

  private static final Map<String, Predicate<Object>> PLAIN =
      Map.ofEntries(
          Map.entry("defined", value -> !(value instanceof Undefined)),
          Map.entry("undefined", value -> value instanceof Undefined),
          Map.entry("none", value -> value == None.NONE),
          Map.entry("boolean", value -> value instanceof Boolean),
          Map.entry("true", value -> Boolean.TRUE.equals(value)),
          Map.entry("false", value -> Boolean.FALSE.equals(value)),
          Map.entry("integer", value -> Numbers.isInteger(value) && !(value instanceof Boolean)),
          Map.entry("float", value -> value instanceof Double),
          Map.entry("number", Numbers::isNumber),
          Map.entry("string", value -> Values.asText(value) != null),
          Map.entry("mapping", value -> value instanceof Dict),
          Map.entry("iterable", Values::isIterable),
          Map.entry(
              "sequence",
              value ->
                  Values.asSequence(value) != null
                      || Values.asText(value) != null
                      || value instanceof Dict
                      || value instanceof Undefined),
          Map.entry("callable", value -> value instanceof Callable || value instanceof Undefined),
          Map.entry("escaped", value -> value instanceof Markup));

  private static final Set<String> OTHERS =
      Set.of("odd", "even", "divisibleby", "lower", "upper", "sameas", "filter", "test");

  private Tests() {}

  static boolean known(String name) {
    return COMPARISONS.containsKey(name) || PLAIN.containsKey(name) || OTHERS.contains(name);
  }

  static boolean apply(String name, Object value, Args args, Evaluator evaluator) {
    Budget budget = evaluator.budget();
    Predicate<Object> plain = PLAIN.get(name);
    if (plain != null) {
      args.bind(name, 0);
      return plain.test(value);
    }
    String comparison = COMPARISONS.get(name);
    if (comparison != null) {
      return Operators.compare(comparison, value, args.bind(name, 1, "other").get(0), budget);
    }
    return switch (name) {
      case "odd", "even" -> {
        args.bind(name, 0);
        Object rest = Operators.arithmetic("%", value, 2L, budget);
        yield Values.equal(rest, name.equals("odd") ? 1L : 0L, budget);
      }
      case "divisibleby" -> {
        Object divisor = args.bind(name, 1, "num").get(0);
        yield Values.equal(Operators.arithmetic("%", value, divisor, budget), 0L, budget);
      }
      case "lower", "upper" -> {
        args.bind(name, 0);
        Object method =
            TextMethods.method(
                Repr.string(value, budget), name.equals("lower") ? "islower" : "isupper", budget);
        yield method instanceof Callable callable && Values.truth(callable.call(Args.NONE));
      }
      case "sameas" -> same(value, args.bind(name, 1, "other").get(0), budget);
      case "filter" -> Filters.known(Repr.string(value, budget));
      case "test" -> known(Repr.string(value, budget));
      default ->
          throw new JinjaException.WrongValue("no test named '" + Undefined.shown(name) + "'");
    };
  }

  /** Identity; small values that are equal and of one type are one object in Python too. */
  @SuppressWarnings("ReferenceEquality") // identity is the question here
  private static boolean same(Object a, Object b, Budget budget) {
    budget.work(a instanceof String text ? text.length() : 0);
    boolean small = a instanceof Boolean || a instanceof Long || a instanceof String;
    return a == b || (small && a.equals(b));
  }
}
