package io.trimtab.jinja;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** The methods of dictionaries, lists and tuples that change nothing. */
final class ContainerMethods {
  private ContainerMethods() {}

  static @Nullable Object ofDict(Dict dict, String name, Budget budget) {
    return switch (name) {
      case "keys", "values", "items" ->
          Callable.of(
              name,
              args -> {
                args.bind(name, 0);
                return dict.view(name, budget);
              });
      case "get" ->
          Callable.of(
              name,
              args -> {
                Args.Bound bound = args.bind(name, 1, "key", "default");
                Object value = dict.get(bound.get(0), budget);
                return value != null ? value : bound.get(1, None.NONE);
              });
      case "copy" ->
          Callable.of(
              name,
              args -> {
                budget.objects(2);
                Dict copy = new Dict();
                copy.putAll(dict, budget);
                return copy;
              });
      case "fromkeys" -> Callable.of(name, args -> fromKeys(args, budget));
      default -> null;
    };
  }

  static Object fromKeys(Args args, Budget budget) {
    Args.Bound bound = args.bind("fromkeys", 1, "keys", "value");
    Dict dict = new Dict();
    for (Object key : Values.items(bound.get(0), budget)) {
      dict.put(key, bound.get(1, None.NONE), budget);
    }
    return dict;
  }

  static @Nullable Object ofSequence(List<?> items, String type, String name, Budget budget) {
    return switch (name) {
      case "index" ->
          Callable.of(
              name,
              args -> {
                Object wanted = args.bind(name, 1, "value").get(0);
                for (int i = 0; i < items.size(); i++) {
                  budget.step();
                  if (Values.equal(items.get(i), wanted, budget)) {
                    return (long) i;
                  }
                }
                throw new JinjaException.WrongValue("the value is not in the " + type);
              });
      case "count" ->
          Callable.of(
              name,
              args -> {
                Object wanted = args.bind(name, 1, "value").get(0);
                budget.work(16L * items.size());
                return items.stream().filter(item -> Values.equal(item, wanted, budget)).count();
              });
      case "copy" -> type.equals("list") ? Callable.of(name, args -> items) : null;
      default -> null;
    };
  }
}
