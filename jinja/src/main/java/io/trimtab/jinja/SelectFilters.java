package io.trimtab.jinja;

import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** The filters that apply filters and tests to items, one by one as they are asked for. */
final class SelectFilters {
  private SelectFilters() {}

  static void register(Map<String, Filters.Body> all) {
    all.put("map", SelectFilters::map);
    all.put("select", (input, args, evaluator) -> select(input, args, evaluator, true, false));
    all.put("reject", (input, args, evaluator) -> select(input, args, evaluator, false, false));
    all.put("selectattr", (input, args, evaluator) -> select(input, args, evaluator, true, true));
    all.put("rejectattr", (input, args, evaluator) -> select(input, args, evaluator, false, true));
  }

  private static Object map(Object input, Args args, Evaluator evaluator) {
    return lazily(
        input,
        evaluator,
        () -> {
          UnaryOperator<Object> body = mapper(args, evaluator);
          return (item, out) -> {
            out[0] = body.apply(item);
            return true;
          };
        });
  }

  private static UnaryOperator<Object> mapper(Args args, Evaluator evaluator) {
    if (args.positional().isEmpty() && args.named().containsKey("attribute")) {
      Args.Bound bound = args.bind("map", 0, "attribute", "default");
      UnaryOperator<Object> getter = SequenceFilters.getter(bound.get(0), evaluator.budget());
      return item -> {
        Object value = getter.apply(item);
        return value instanceof Undefined && bound.given(1) ? bound.get(1) : value;
      };
    }
    if (args.positional().isEmpty()) {
      throw new JinjaException.WrongValue("map requires a filter argument");
    }
    String name = Repr.string(args.positional().getFirst(), evaluator.budget());
    return item -> Filters.apply(name, item, args.after(1), evaluator);
  }

  private static Object select(
      Object input, Args args, Evaluator evaluator, boolean wanted, boolean byAttribute) {
    return lazily(
        input,
        evaluator,
        () -> {
          Predicate<Object> test = tester(args, evaluator, byAttribute);
          return (item, out) -> {
            out[0] = item;
            return test.test(item) == wanted;
          };
        });
  }

  private static Predicate<Object> tester(Args args, Evaluator evaluator, boolean byAttribute) {
    int used = byAttribute ? 1 : 0;
    List<Object> given = args.positional();
    if (given.size() < used) {
      throw new JinjaException.WrongValue("missing parameter for attribute name");
    }
    UnaryOperator<Object> getter =
        SequenceFilters.getter(byAttribute ? given.getFirst() : None.NONE, evaluator.budget());
    if (given.size() == used) {
      return item -> Values.truth(getter.apply(item));
    }
    String name = Repr.string(given.get(used), evaluator.budget());
    return item -> Tests.apply(name, getter.apply(item), args.after(used + 1), evaluator);
  }

  /** Puts what becomes of an item into {@code out}; whether there is anything. */
  private interface Step {
    boolean apply(Object item, Object[] out);
  }

  private static Lazy lazily(
      Object input, Evaluator evaluator, java.util.function.Supplier<Step> steps) {
    evaluator.budget().objects(5);
    return new Lazy(
        "generator",
        new Iterator<>() {
          private @Nullable Iterator<Object> items;
          private @Nullable Step step;
          private final Object[] out = {None.NONE};
          private boolean ready;

          @Override
          public boolean hasNext() {
            if (items == null) {
              // As in Python, nothing happens before the first item is asked for.
              items =
                  Values.truth(input)
                      ? Values.iterate(input, evaluator.budget())
                      : java.util.Collections.emptyIterator();
              step = Values.truth(input) ? steps.get() : (item, made) -> false;
            }
            evaluator.budget().enter();
            while (!ready && items.hasNext()) {
              evaluator.budget().step();
              ready = java.util.Objects.requireNonNull(step).apply(items.next(), out);
            }
            evaluator.budget().exit();
            return ready;
          }

          @Override
          public Object next() {
            if (!hasNext()) {
              throw new NoSuchElementException();
            }
            ready = false;
            return out[0];
          }
        });
  }
}
