package io.trimtab.jinja;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Between Java's values and those of templates. */
final class Convert {
  private Convert() {}

  /** A copy of {@code value} that nothing but the template sees. */
  static Object toTemplate(@Nullable Object value, Budget budget) {
    budget.step();
    return switch (value) {
      case null -> None.NONE;
      case None none -> none;
      case String text -> text;
      case Boolean flag -> flag;
      case Long number -> number;
      case Integer number -> number.longValue();
      case Short number -> number.longValue();
      case Byte number -> number.longValue();
      case BigInteger number -> Numbers.normal(number);
      case Double number -> number;
      case Float number -> Double.valueOf(number.toString());
      case Number number -> number.doubleValue();
      case Map<?, ?> map -> {
        budget.enter();
        budget.objects(2);
        Dict dict = new Dict();
        map.forEach(
            (key, item) -> dict.put(toTemplate(key, budget), toTemplate(item, budget), budget));
        budget.exit();
        yield dict;
      }
      case Iterable<?> items -> {
        budget.enter();
        List<Object> list = new ArrayList<>();
        for (Object item : items) {
          budget.items(1);
          list.add(toTemplate(item, budget));
        }
        budget.exit();
        yield list;
      }
      case Enum<?> constant -> constant.name();
      case JinjaFunction function -> callable(function, budget);
      default ->
          throw new JinjaException.WrongValue(
              "expected texts, numbers, booleans, lists, maps and functions as a template's"
                  + " variables, found a "
                  + value.getClass().getName());
    };
  }

  private static Callable callable(JinjaFunction function, Budget budget) {
    return Callable.of(
        "function",
        args -> {
          List<@Nullable Object> positional = new ArrayList<>();
          args.positional().forEach(argument -> positional.add(toJava(argument, budget)));
          Map<String, @Nullable Object> named = new LinkedHashMap<>();
          args.named().forEach((name, argument) -> named.put(name, toJava(argument, budget)));
          return toTemplate(function.call(positional, named), budget);
        });
  }

  private static @Nullable Object toJava(Object value, Budget budget) {
    budget.step();
    switch (value) {
      case None none -> {
        return null;
      }
      case Dict dict -> {
        budget.enter();
        budget.entries(dict.size());
        Map<@Nullable Object, @Nullable Object> map = new LinkedHashMap<>();
        dict.entries()
            .forEach(entry -> map.put(toJava(entry.key(), budget), toJava(entry.value(), budget)));
        budget.exit();
        return map;
      }
      default -> {}
    }
    List<Object> items = Values.asSequence(value);
    if (items != null) {
      budget.enter();
      budget.items(items.size());
      List<@Nullable Object> list = new ArrayList<>();
      items.forEach(item -> list.add(toJava(item, budget)));
      budget.exit();
      return list;
    }
    return value instanceof Number || value instanceof Boolean ? value : Repr.string(value, budget);
  }
}
