package io.trimtab.jinja;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The functions that every template has: range, dict, namespace, cycler, joiner. */
final class Globals {
  private static final int MAX_RANGE = 100_000;

  private Globals() {}

  static @Nullable Object find(String name, Budget budget) {
    return switch (name) {
      case "range" -> Callable.of(name, args -> range(args, budget));
      case "dict" -> new DictFunction(budget);
      case "namespace" -> Callable.of(name, args -> namespace(args, budget));
      case "cycler" -> Callable.of(name, args -> cycler(args.positional(), budget));
      case "joiner" -> Callable.of(name, args -> joiner(args, budget));
      default -> null;
    };
  }

  /** Makes dictionaries; its attribute {@code fromkeys} does too. */
  record DictFunction(Budget budget) implements Callable {
    @Override
    public String name() {
      return "dict";
    }

    @Override
    public Object call(Args args) {
      return dict(args, budget);
    }
  }

  private static Object range(Args args, Budget budget) {
    budget.objects(1);
    Args.Bound bound = args.bind("range", 1, "start", "stop", "step");
    boolean one = !bound.has(1);
    Range range =
        new Range(
            one ? 0 : bound.integer(0, 0), bound.integer(one ? 0 : 1, 0), bound.integer(2, 1));
    if (range.step() == 0) {
      throw new JinjaException.WrongValue("range() arg 3 must not be zero");
    }
    if (range.size() > MAX_RANGE) {
      throw Budget.exceeded(MAX_RANGE + " items of a range");
    }
    return range;
  }

  private static Dict dict(Args args, Budget budget) {
    budget.objects(2);
    Dict dict = new Dict();
    if (!args.positional().isEmpty()) {
      Object from = new Args(args.positional(), Map.of()).bind("dict", 1, "from").get(0);
      if (from instanceof Dict other) {
        dict.putAll(other, budget);
      } else {
        for (Object pair : Values.items(from, budget)) {
          List<Object> parts = Values.items(pair, budget);
          if (parts.size() != 2) {
            throw new JinjaException.WrongValue(
                "expected pairs to make a dictionary of, found " + parts.size() + " items");
          }
          dict.put(parts.get(0), parts.get(1), budget);
        }
      }
    }
    args.named().forEach((key, value) -> dict.put(key, value, budget));
    return dict;
  }

  private static Namespace namespace(Args args, Budget budget) {
    budget.entries(1);
    Namespace namespace = new Namespace();
    for (Dict.Entry entry : dict(args, budget).entries()) {
      if (!(entry.key() instanceof String name)) {
        throw new JinjaException.WrongValue("expected names as the keys of a namespace");
      }
      namespace.set(name, entry.value(), budget);
    }
    return namespace;
  }

  private static Object cycler(List<Object> items, Budget budget) {
    budget.items(items.size());
    return new Cycler(items);
  }

  private static Object joiner(Args args, Budget budget) {
    budget.objects(2);
    Object separator = args.bind("joiner", 0, "sep").get(0, ", ");
    boolean[] used = {false};
    return Callable.of(
        "joiner",
        call -> {
          Object result = used[0] ? separator : "";
          used[0] = true;
          return result;
        });
  }

  /** Gives its items in turn. */
  static final class Cycler implements Callable {
    private final List<Object> items;
    private int at;

    Cycler(List<Object> items) {
      if (items.isEmpty()) {
        throw new JinjaException.WrongValue("at least one item has to be provided");
      }
      this.items = List.copyOf(items);
    }

    @Nullable Object attribute(String name) {
      return switch (name) {
        case "current" -> items.get(at);
        case "next" ->
            Callable.of(
                name,
                args -> {
                  Object item = items.get(at);
                  at = (at + 1) % items.size();
                  return item;
                });
        case "reset" ->
            Callable.of(
                name,
                args -> {
                  at = 0;
                  return None.NONE;
                });
        default -> null;
      };
    }

    @Override
    public String name() {
      return "cycler";
    }

    @Override
    public Object call(Args args) {
      throw new JinjaException.WrongValue("'Cycler' object is not callable; use its next()");
    }
  }
}
