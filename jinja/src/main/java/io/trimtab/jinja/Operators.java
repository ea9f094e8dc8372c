package io.trimtab.jinja;

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
    int order = Values.compare(a, b, operator, budget);
    if (order == Numbers.UNORDERED) {
      return false;
    }
    return switch (operator) {
      case "<" -> order < 0;
      case "<=" -> order <= 0;
      case ">" -> order > 0;
      default -> order >= 0;
    };
  }

  static Object arithmetic(String operator, Object a, Object b, Budget budget) {
    if (Numbers.isNumber(a) && Numbers.isNumber(b)) {
      Numbers.count(a, b, budget);
      Object result = Numbers.arithmetic(operator, a, b);
      Numbers.count(result, result, budget);
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
        String made = PercentFormat.format(format, b, a instanceof Markup, budget);
        yield a instanceof Markup ? new Markup(made) : made;
      }
      default -> throw Values.unsupported(operator, a, b);
    };
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
    List<Object> out = new ArrayList<>((int) (times * size));
    for (long i = 0; i < times && size > 0; i++) {
      out.addAll(items);
    }
    return value instanceof Tuple ? new Tuple(out) : out;
  }
}
