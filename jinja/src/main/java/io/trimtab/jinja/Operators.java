package io.trimtab.jinja;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;

/** The operators between two values. */
final class Operators {
  private Operators() {}

  static boolean compare(String operator, Object a, Object b, Budget budget) {
    return switch (operator) {
      case "==" -> Values.equal(a, b, budget);
      case "!=" -> !Values.equal(a, b, budget);
      case "in" -> Values.contains(b, a, budget);
      case "not in" -> !Values.contains(b, a, budget);
      default -> ordered(operator, a, b, budget);
    };
  }

  private static boolean ordered(String operator, Object a, Object b, Budget budget) {
    if ((a instanceof Double x && x.isNaN()) || (b instanceof Double y && y.isNaN())) {
      if (Numbers.isNumber(a) && Numbers.isNumber(b)) {
        return false;
      }
    }
    int order = Values.compare(a, b, operator, budget);
    return switch (operator) {
      case "<" -> order < 0;
      case "<=" -> order <= 0;
      case ">" -> order > 0;
      default -> order >= 0;
    };
  }

  static Object arithmetic(String operator, Object a, Object b, Budget budget) {
    if (Numbers.isNumber(a) && Numbers.isNumber(b)) {
      if (a instanceof BigInteger x && Numbers.isInteger(b)) {
        // The longest take as long as some thousand steps.
        budget.work(((long) x.bitLength() * Numbers.big(b).bitLength()) >> 10);
      }
      Object result = Numbers.arithmetic(operator, a, b);
      if (result instanceof BigInteger x) {
        budget.work(((long) x.bitLength() * x.bitLength()) >> 10);
      }
      return result;
    }
    if (b instanceof Undefined undefined && !(operator.equals("%") && Values.asText(a) != null)) {
      throw undefined.used();
    }
    return switch (operator) {
      case "+" -> add(a, b, budget);
      case "*" -> Numbers.isInteger(a) ? repeat(b, a, budget) : repeat(a, b, budget);
      case "%" -> {
        String format = Values.asText(a);
        if (format == null) {
          throw Values.unsupported(operator, a, b);
        }
        yield a instanceof Markup
            ? new Markup(PercentFormat.format(format, escaped(b, budget), budget))
            : PercentFormat.format(format, b, budget);
      }
      default -> throw Values.unsupported(operator, a, b);
    };
  }

  /** What is formatted into a marked text. */
  private static Object escaped(Object value, Budget budget) {
    if (value instanceof Tuple tuple) {
      return new Tuple(tuple.items().stream().map(item -> escaped(item, budget)).toList());
    }
    return Numbers.isNumber(value) || value instanceof Dict ? value : Markup.escape(value, budget);
  }

  private static Object add(Object a, Object b, Budget budget) {
    if (a instanceof String left && b instanceof String right) {
      budget.text((long) left.length() + right.length());
      return left + right;
    }
    if (Values.asText(a) != null && Values.asText(b) != null) {
      String left = Markup.escape(a, budget).text();
      String right = Markup.escape(b, budget).text();
      budget.text((long) left.length() + right.length());
      return new Markup(left + right);
    }
    if (a instanceof List<?> left && b instanceof List<?> right) {
      return joined(left, right, budget);
    }
    if (a instanceof Tuple left && b instanceof Tuple right) {
      return new Tuple(joined(left.items(), right.items(), budget));
    }
    throw Values.unsupported("+", a, b);
  }

  private static List<Object> joined(List<?> left, List<?> right, Budget budget) {
    budget.items((long) left.size() + right.size());
    List<Object> out = new ArrayList<>(left.size() + right.size());
    out.addAll(left);
    out.addAll(right);
    return out;
  }

  private static Object repeat(Object value, Object count, Budget budget) {
    String text = Values.asText(value);
    List<Object> items = value instanceof Range ? null : Values.asSequence(value);
    if (!Numbers.isInteger(count) || (text == null && items == null)) {
      throw Values.unsupported("*", value, count);
    }
    long times = Math.max(0, Numbers.index(count, "a repetition"));
    if (text != null) {
      String out = Strings.repeat(text, times, budget);
      return value instanceof Markup ? new Markup(out) : out;
    }
    int size = java.util.Objects.requireNonNull(items).size();
    budget.items(times * size);
    List<Object> out = new ArrayList<>((int) times * size);
    for (long i = 0; i < times && size > 0; i++) {
      out.addAll(items);
    }
    return value instanceof Tuple ? new Tuple(out) : out;
  }
}
