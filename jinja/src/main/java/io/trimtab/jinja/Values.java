package io.trimtab.jinja;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Python's rules for values of any type. The types: {@link None}, {@link Boolean}, {@link Long} and
 * (beyond it) {@link java.math.BigInteger}, {@link Double}, {@link String}, {@link Markup}, {@link
 * List}, {@link Tuple}, {@link Dict}, {@link Dict.View}, {@link Range}, {@link Lazy}, {@link
 * Namespace}, {@link LoopState}, {@link Callable}, {@link Undefined}.
 */
final class Values {
  private Values() {}

  /** The name of the type in error messages. */
  static String type(Object value) {
    return switch (value) {
      case None none -> "NoneType";
      case Boolean flag -> "bool";
      case Double number -> "float";
      case Number number -> "int";
      case String text -> "str";
      case Markup markup -> "Markup";
      case List<?> list -> "list";
      case Tuple tuple -> "tuple";
      case Dict dict -> "dict";
      case Dict.View view -> view.kind();
      case Range range -> "range";
      case Lazy lazy -> lazy.kind();
      case Undefined undefined -> "Undefined";
      case Namespace namespace -> "Namespace";
      case LoopState loop -> "LoopContext";
      default -> "function";
    };
  }

  static boolean truth(Object value) {
    return switch (value) {
      case None none -> false;
      case Boolean flag -> flag;
      case Long number -> number != 0;
      case Double number -> number != 0;
      case String text -> !text.isEmpty();
      case Markup markup -> !markup.text().isEmpty();
      case List<?> list -> !list.isEmpty();
      case Tuple tuple -> !tuple.items().isEmpty();
      case Dict dict -> dict.size() > 0;
      case Dict.View view -> !view.items().isEmpty();
      case Range range -> range.size() > 0;
      case Undefined undefined -> false;
      default -> true;
    };
  }

  /** The text of a string, null for anything else. */
  static @Nullable String asText(Object value) {
    return switch (value) {
      case String text -> text;
      case Markup markup -> markup.text();
      default -> null;
    };
  }

  /** The items of what has a length and an order, null for anything else. */
  @SuppressWarnings("unchecked") // lists of templates hold values alone
  static @Nullable List<Object> asSequence(Object value) {
    return switch (value) {
      case List<?> list -> (List<Object>) list;
      case Tuple tuple -> tuple.items();
      case Range range -> range.items();
      default -> null;
    };
  }

  static boolean isIterable(Object value) {
    return switch (value) {
      case String text -> true;
      case Markup markup -> true;
      case List<?> list -> true;
      case Tuple tuple -> true;
      case Dict dict -> true;
      case Dict.View view -> true;
      case Range range -> true;
      case Lazy lazy -> true;
      case Undefined undefined -> true;
      case LoopState loop -> true;
      default -> false;
    };
  }

  static Iterator<Object> iterate(Object value, Budget budget) {
    if (value instanceof Lazy lazy) {
      return lazy.items();
    }
    if (value instanceof Undefined undefined && undefined.forbidden()) {
      throw undefined.used();
    }
    return items(value, budget).iterator();
  }

  /** All items of what can be iterated over; a generator is used up by this. */
  static List<Object> items(Object value, Budget budget) {
    List<Object> sequence = asSequence(value);
    if (sequence != null) {
      budget.work(sequence.size());
      return sequence;
    }
    String text = asText(value);
    if (text != null) {
      return characters(text, budget);
    }
    return switch (value) {
      case Dict dict -> {
        budget.items(dict.size());
        yield dict.keys();
      }
      case Dict.View view -> {
        budget.work(view.items().size());
        yield view.items();
      }
      case Undefined undefined -> List.of();
      case Lazy lazy -> {
        List<Object> items = new ArrayList<>();
        while (lazy.items().hasNext()) {
          budget.items(1);
          items.add(lazy.items().next());
        }
        budget.items(items.size());
        yield items;
      }
      default ->
          throw new JinjaException.WrongValue("'" + type(value) + "' object is not iterable");
    };
  }

  private static List<Object> characters(String text, Budget budget) {
    budget.items(text.length());
    List<Object> characters = new ArrayList<>(text.length());
    for (int i = 0; i < text.length(); ) {
      int c = text.codePointAt(i);
      i += Character.charCount(c);
      if (c > 127) {
        budget.objects(1);
      }
      characters.add(Strings.character(c));
    }
    return characters;
  }

  /** Python's {@code len}. */
  static long length(Object value, Budget budget) {
    List<Object> sequence = asSequence(value);
    if (sequence != null) {
      return sequence.size();
    }
    String text = asText(value);
    if (text != null) {
      budget.work(text.length());
      return text.codePointCount(0, text.length());
    }
    return switch (value) {
      case Dict dict -> dict.size();
      case Dict.View view -> view.items().size();
      case Undefined undefined -> 0;
      case LoopState loop -> loop.length();
      default ->
          throw new JinjaException.WrongValue("object of type '" + type(value) + "' has no len()");
    };
  }

  static boolean equal(Object a, Object b, Budget budget) {
    if (Numbers.isNumber(a) && Numbers.isNumber(b)) {
      Numbers.count(a, b, budget);
      return Numbers.equal(a, b);
    }
    String text = asText(a);
    if (text != null) {
      budget.work(text.length());
      return text.equals(asText(b));
    }
    return switch (a) {
      case List<?> list -> b instanceof List<?> other && allEqual(list, other, budget);
      case Tuple tuple ->
          b instanceof Tuple other && allEqual(tuple.items(), other.items(), budget);
      case Range range ->
          b instanceof Range other && allEqual(range.items(), other.items(), budget);
      case Dict dict -> b instanceof Dict other && equalDicts(dict, other, budget);
      case Undefined undefined -> b instanceof Undefined;
      case Dict.View view when !view.kind().equals("dict_values") ->
          b instanceof Dict.View other
              && view.items().size() == other.items().size()
              && view.items().stream().allMatch(item -> contains(other, item, budget));
      default -> same(a, b);
    };
  }

  @SuppressWarnings("ReferenceEquality") // Python compares items by identity first
  private static boolean same(Object a, Object b) {
    return a == b;
  }

  private static boolean allEqual(List<?> a, List<?> b, Budget budget) {
    if (a.size() != b.size()) {
      return false;
    }
    budget.enter();
    for (int i = 0; i < a.size(); i++) {
      budget.step();
      Object left = a.get(i);
      Object right = b.get(i);
      if (!same(left, right) && !equal(left, right, budget)) {
        budget.exit();
        return false;
      }
    }
    budget.exit();
    return true;
  }

  private static boolean equalDicts(Dict a, Dict b, Budget budget) {
    if (a.size() != b.size()) {
      return false;
    }
    budget.enter();
    boolean same = true;
    for (Dict.Entry entry : a.entries()) {
      budget.step();
      Object other = b.get(entry.key(), budget);
      same = other != null && (same(other, entry.value()) || equal(entry.value(), other, budget));
      if (!same) {
        break;
      }
    }
    budget.exit();
    return same;
  }

  /**
   * Python's order: negative, zero or positive, or {@link Numbers#UNORDERED} where neither comes
   * first.
   *
   * @param operator for the error message
   */
  static int compare(Object a, Object b, String operator, Budget budget) {
    if (Numbers.isNumber(a) && Numbers.isNumber(b)) {
      Numbers.count(a, b, budget);
      return Numbers.compare(a, b);
    }
    String left = asText(a);
    String right = asText(b);
    if (left != null && right != null) {
      budget.work(Math.min(left.length(), right.length()));
      return Strings.compare(left, right);
    }
    if (a instanceof List<?> x && b instanceof List<?> y) {
      return compareItems(x, y, operator, budget);
    }
    if (a instanceof Tuple x && b instanceof Tuple y) {
      return compareItems(x.items(), y.items(), operator, budget);
    }
    throw unsupported(operator, a, b);
  }

  private static int compareItems(List<?> a, List<?> b, String operator, Budget budget) {
    budget.enter();
    int result = Integer.compare(a.size(), b.size());
    for (int i = 0; i < Math.min(a.size(), b.size()); i++) {
      budget.step();
      Object left = a.get(i);
      Object right = b.get(i);
      if (!same(left, right) && !equal(left, right, budget)) {
        result = compare(left, right, operator, budget);
        break;
      }
    }
    budget.exit();
    return result;
  }

  /** {@link #compare} for sorting, which needs every two values in an order. */
  static int sortOrder(Object a, Object b, Budget budget) {
    budget.step();
    int order = compare(a, b, "<", budget);
    if (order == Numbers.UNORDERED) {
      throw new JinjaException.WrongValue("expected values that have an order to sort, found nan");
    }
    return order;
  }

  /** Python's {@code item in container}. */
  static boolean contains(Object container, Object item, Budget budget) {
    String text = asText(container);
    if (text != null) {
      if (item instanceof Undefined undefined) {
        throw new JinjaException.WrongValue(
            "'in <string>' requires string as left operand: " + undefined.reason());
      }
      String part = asText(item);
      if (part == null) {
        throw new JinjaException.WrongValue(
            "'in <string>' requires string as left operand, not " + type(item));
      }
      return Strings.indexOf(text, part, 0, budget) >= 0;
    }
    if (container instanceof Dict dict) {
      return dict.get(item, budget) != null;
    }
    if (!isIterable(container)) {
      throw new JinjaException.WrongValue(
          "argument of type '" + type(container) + "' is not iterable");
    }
    for (Iterator<Object> items = iterate(container, budget); items.hasNext(); ) {
      budget.step();
      Object other = items.next();
      if (same(other, item) || equal(other, item, budget)) {
        return true;
      }
    }
    return false;
  }

  /** The error for an operator that two values do not have. */
  static JinjaException unsupported(String operator, Object a, Object b) {
    if (a instanceof Undefined undefined) {
      return undefined.used();
    }
    if (b instanceof Undefined undefined) {
      return undefined.used();
    }
    return new JinjaException.WrongValue(
        "unsupported operand types for %s: '%s' and '%s'".formatted(operator, type(a), type(b)));
  }
}
