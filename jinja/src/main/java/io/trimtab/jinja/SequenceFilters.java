package io.trimtab.jinja;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;

/** The filters of sequences. */
final class SequenceFilters {
  private SequenceFilters() {}

  static void register(Map<String, Filters.Body> all) {
    all.put("list", (input, args, evaluator) -> copy(input, evaluator.budget()));
    for (String name : List.of("length", "count")) {
      all.put(name, (input, args, evaluator) -> Values.length(input, evaluator.budget()));
    }
    all.put("first", (input, args, evaluator) -> first(input, evaluator.budget()));
    all.put("last", (input, args, evaluator) -> last(input, evaluator.budget()));
    all.put("join", SequenceFilters::join);
    all.put("sort", SequenceFilters::sort);
    all.put("dictsort", SequenceFilters::dictSort);
    all.put("unique", SequenceFilters::unique);
    all.put("min", (input, args, evaluator) -> extreme("min", input, args, evaluator));
    all.put("max", (input, args, evaluator) -> extreme("max", input, args, evaluator));
    all.put("sum", SequenceFilters::sum);
    all.put("reverse", SequenceFilters::reverse);
    all.put("items", SequenceFilters::items);
    all.put("batch", SequenceFilters::batch);
    all.put("slice", SequenceFilters::slice);
    all.put("groupby", SequenceFilters::groupBy);
    SelectFilters.register(all);
  }

  static List<Object> copy(Object input, Budget budget) {
    List<Object> items = Values.items(input, budget);
    budget.items(items.size());
    return new ArrayList<>(items);
  }

  /** What {@code attribute="a.b.0"} takes of an item. */
  static UnaryOperator<Object> getter(Object attribute, Budget budget) {
    budget.objects(2);
    if (attribute == None.NONE) {
      return item -> item;
    }
    List<Object> path = new ArrayList<>();
    if (attribute instanceof String text) {
      budget.text(text.length());
      budget.objects(2 * text.chars().filter(c -> c == '.').count());
      for (String part : text.split("\\.", -1)) {
        boolean number =
            !part.isEmpty() && part.length() < 10 && part.chars().allMatch(Character::isDigit);
        path.add(number ? (Object) Long.valueOf(part) : part);
      }
    } else {
      path.add(attribute);
    }
    return item -> {
      Object value = item;
      for (Object part : path) {
        budget.step();
        value = Attributes.item(value, part, budget);
      }
      return value;
    };
  }

  private static Object folded(Object value, boolean caseSensitive, Budget budget) {
    String text = caseSensitive ? null : Values.asText(value);
    if (text == null) {
      return value;
    }
    TextMethods.countLetters(text.length(), budget);
    return TextMethods.cased(text, "lower");
  }

  private static Object first(Object input, Budget budget) {
    String text = Values.asText(input);
    if (text != null && !text.isEmpty()) {
      budget.objects(1);
      return Strings.character(text.codePointAt(0));
    }
    Iterator<Object> items = Values.iterate(input, budget);
    return items.hasNext() ? items.next() : Undefined.of("No first item, sequence was empty.");
  }

  private static Object last(Object input, Budget budget) {
    List<Object> items =
        switch (input) {
          case Dict dict -> Values.items(dict, budget);
          case Dict.View view -> view.items();
          case Undefined undefined -> List.of();
          default -> Values.asSequence(input);
        };
    String text = Values.asText(input);
    if (text != null) {
      budget.objects(1);
      items =
          text.isEmpty()
              ? List.of()
              : List.of(Strings.character(text.codePointBefore(text.length())));
    }
    if (items == null) {
      throw new JinjaException.WrongValue("'" + Values.type(input) + "' object is not reversible");
    }
    return items.isEmpty() ? Undefined.of("No last item, sequence was empty.") : items.getLast();
  }

  private static Object join(Object input, Args args, Evaluator evaluator) {
    Args.Bound bound = args.bind("join", 0, "d", "attribute");
    Budget budget = evaluator.budget();
    UnaryOperator<Object> getter = getter(bound.get(1, None.NONE), budget);
    List<Object> parts = new ArrayList<>();
    for (Object item : Values.items(input, budget)) {
      budget.items(1);
      parts.add(Repr.string(getter.apply(item), budget));
    }
    return TextMethods.join(Repr.string(bound.get(0, ""), budget), parts, budget);
  }

  private static List<Object> sorted(
      List<Object> items, UnaryOperator<Object> key, boolean reverse, Budget budget) {
    record Keyed(Object key, Object item) {}
    List<Keyed> keyed = new ArrayList<>(items.size());
    budget.items(3L * items.size());
    for (Object item : items) {
      keyed.add(new Keyed(key.apply(item), item));
    }
    // Reversal keeps the order of equals, as Python does.
    keyed.sort(
        (a, b) -> {
          int order = Values.sortOrder(a.key(), b.key(), budget);
          return reverse ? -order : order;
        });
    List<Object> out = new ArrayList<>(items.size());
    keyed.forEach(pair -> out.add(pair.item()));
    return out;
  }

  private static Object sort(Object input, Args args, Evaluator evaluator) {
    Args.Bound bound = args.bind("sort", 0, "reverse", "case_sensitive", "attribute");
    Budget budget = evaluator.budget();
    List<UnaryOperator<Object>> getters = new ArrayList<>();
    if (bound.get(2, None.NONE) instanceof String names) {
      budget.text(names.length());
      budget.objects(2 * names.chars().filter(c -> c == ',').count());
      for (String name : names.split(",", -1)) {
        getters.add(getter(name, budget));
      }
    } else {
      getters.add(getter(bound.get(2, None.NONE), budget));
    }
    boolean caseSensitive = bound.flag(1);
    return sorted(
        Values.items(input, budget),
        item -> {
          budget.items(1L + getters.size());
          List<Object> keys = new ArrayList<>(getters.size());
          getters.forEach(getter -> keys.add(folded(getter.apply(item), caseSensitive, budget)));
          return keys;
        },
        bound.flag(0),
        budget);
  }

  private static Object dictSort(Object input, Args args, Evaluator evaluator) {
    Args.Bound bound = args.bind("dictsort", 0, "case_sensitive", "by", "reverse");
    if (input instanceof Undefined undefined) {
      throw undefined.used();
    }
    if (!(input instanceof Dict dict)) {
      throw new JinjaException.WrongValue(
          "expected a dictionary to sort, found a " + Values.type(input));
    }
    String by = bound.has(1) ? bound.text(1) : "key";
    if (!by.equals("key") && !by.equals("value")) {
      throw new JinjaException.WrongValue("You can only sort by either \"key\" or \"value\"");
    }
    return sorted(
        dict.view("items", evaluator.budget()).items(),
        pair ->
            folded(
                ((Tuple) pair).items().get(by.equals("key") ? 0 : 1),
                bound.flag(0),
                evaluator.budget()),
        bound.flag(2),
        evaluator.budget());
  }

  private static Object unique(Object input, Args args, Evaluator evaluator) {
    Args.Bound bound = args.bind("unique", 0, "case_sensitive", "attribute");
    Budget budget = evaluator.budget();
    UnaryOperator<Object> getter = getter(bound.get(1, None.NONE), budget);
    Set<String> seen = new HashSet<>();
    List<Object> out = new ArrayList<>();
    for (Object item : Values.items(input, budget)) {
      budget.entries(1);
      if (seen.add(Dict.hashed(folded(getter.apply(item), bound.flag(0), budget), budget))) {
        out.add(item);
      }
    }
    return new Lazy("generator", out.iterator());
  }

  private static Object extreme(String name, Object input, Args args, Evaluator evaluator) {
    Args.Bound bound = args.bind(name, 0, "case_sensitive", "attribute");
    Budget budget = evaluator.budget();
    UnaryOperator<Object> getter = getter(bound.get(1, None.NONE), budget);
    Object best = Undefined.of("No aggregated item, sequence was empty.");
    Object bestKey = null;
    for (Object item : Values.items(input, budget)) {
      budget.step();
      Object key = folded(getter.apply(item), bound.flag(0), budget);
      String operator = name.equals("min") ? "<" : ">";
      if (bestKey == null || Operators.compare(operator, key, bestKey, budget)) {
        best = item;
        bestKey = key;
      }
    }
    return best;
  }

  private static Object sum(Object input, Args args, Evaluator evaluator) {
    Args.Bound bound = args.bind("sum", 0, "attribute", "start");
    UnaryOperator<Object> getter = getter(bound.get(0, None.NONE), evaluator.budget());
    Object total = bound.get(1, 0L);
    if (Values.asText(total) != null) {
      throw new JinjaException.WrongValue("sum() can't sum strings; use join");
    }
    for (Object item : Values.items(input, evaluator.budget())) {
      total = Operators.arithmetic("+", total, getter.apply(item), evaluator.budget());
    }
    return total;
  }

  private static Object reverse(Object input, Args args, Evaluator evaluator) {
    args.bind("reverse", 0);
    Budget budget = evaluator.budget();
    if (Values.asText(input) != null) {
      return Attributes.slice(input, None.NONE, None.NONE, -1L, budget);
    }
    if (input instanceof Undefined undefined) {
      throw undefined.used();
    }
    List<Object> items = copy(input, budget);
    Collections.reverse(items);
    return input instanceof Lazy
        ? items
        : new Lazy(input instanceof List ? "list_reverseiterator" : "reversed", items.iterator());
  }

  private static Object items(Object input, Args args, Evaluator evaluator) {
    args.bind("items", 0);
    if (input instanceof Undefined) {
      return new Lazy("generator", Collections.emptyIterator());
    }
    if (!(input instanceof Dict dict)) {
      throw new JinjaException.WrongValue("Can only get item pairs from a mapping.");
    }
    return new Lazy("generator", dict.view("items", evaluator.budget()).items().iterator());
  }

  private static Object batch(Object input, Args args, Evaluator evaluator) {
    Args.Bound bound = args.bind("batch", 1, "linecount", "fill_with");
    int size = bound.integer(0, 0);
    List<Object> out = new ArrayList<>();
    List<Object> line = new ArrayList<>();
    for (Object item : Values.items(input, evaluator.budget())) {
      evaluator.budget().items(1);
      if (line.size() == size) {
        evaluator.budget().items(2);
        out.add(line);
        line = new ArrayList<>();
      }
      line.add(item);
    }
    if (!line.isEmpty()) {
      if (bound.given(1)) {
        evaluator.budget().items(size);
        while (line.size() < size) {
          line.add(bound.get(1));
        }
      }
      out.add(line);
    }
    return new Lazy("generator", out.iterator());
  }

  private static Object slice(Object input, Args args, Evaluator evaluator) {
    Args.Bound bound = args.bind("slice", 1, "slices", "fill_with");
    Budget budget = evaluator.budget();
    List<Object> items = Values.items(input, budget);
    int slices = bound.integer(0, 0);
    if (slices == 0) {
      throw new JinjaException.WrongValue("integer division or modulo by zero");
    }
    budget.items(3L * Math.max(0, slices));
    budget.items(items.size());
    List<Object> out = new ArrayList<>();
    int at = 0;
    for (int i = 0; i < slices; i++) {
      boolean extra = i < items.size() % slices;
      int end = at + items.size() / slices + (extra ? 1 : 0);
      List<Object> part = new ArrayList<>(items.subList(at, end));
      if (bound.given(1) && !extra) {
        part.add(bound.get(1));
      }
      out.add(part);
      at = end;
    }
    return new Lazy("generator", out.iterator());
  }

  private static Object groupBy(Object input, Args args, Evaluator evaluator) {
    Args.Bound bound = args.bind("groupby", 1, "attribute", "default", "case_sensitive");
    Budget budget = evaluator.budget();
    UnaryOperator<Object> path = getter(bound.get(0), budget);
    UnaryOperator<Object> getter =
        item -> {
          Object value = path.apply(item);
          return value instanceof Undefined && bound.given(1) ? bound.get(1) : value;
        };
    boolean caseSensitive = bound.flag(2);
    List<Object> out = new ArrayList<>();
    List<Object> group = new ArrayList<>();
    Object last = null;
    List<Object> sorted =
        sorted(
            Values.items(input, budget),
            item -> folded(getter.apply(item), caseSensitive, budget),
            false,
            budget);
    for (Object item : sorted) {
      Object key = folded(getter.apply(item), caseSensitive, budget);
      if (last == null || !Values.equal(key, last, budget)) {
        budget.items(4);
        group = new ArrayList<>();
        out.add(Tuple.group(getter.apply(item), group));
        last = key;
      }
      budget.items(1);
      group.add(item);
    }
    return out;
  }
}
