package io.trimtab.jinja;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Python's dictionary: keys in the order of their insertion, and equal where Python has them equal
 * ({@code 1}, {@code 1.0} and {@code True}).
 */
final class Dict {
  /** A key as it was first given, and its value. */
  record Entry(Object key, Object value) {
    Tuple pair() {
      return Tuple.of(key, value);
    }
  }

  /** A tuple as a key. Its order lets a hash table cope with keys that collide on purpose. */
  private record TupleKey(String form) implements Comparable<TupleKey> {
    @Override
    public int compareTo(TupleKey other) {
      return form.compareTo(other.form);
    }
  }

  private final Map<Object, Entry> entries = new LinkedHashMap<>();

  /** A view of a dictionary's keys, values or items, which prints with its kind's name. */
  record View(String kind, List<Object> items) {}

  @Nullable Object get(Object key, Budget budget) {
    Entry entry = entries.get(hashed(key, budget));
    return entry == null ? null : entry.value();
  }

  void put(Object key, Object value, Budget budget) {
    entries.merge(
        hashed(key, budget),
        new Entry(key, value),
        (old, fresh) -> new Entry(old.key(), fresh.value()));
  }

  void putAll(Dict other) {
    other.entries.forEach(
        (hashed, entry) ->
            entries.merge(hashed, entry, (old, fresh) -> new Entry(old.key(), fresh.value())));
  }

  int size() {
    return entries.size();
  }

  Collection<Entry> entries() {
    return entries.values();
  }

  List<Object> keys() {
    List<Object> keys = new ArrayList<>(size());
    entries().forEach(entry -> keys.add(entry.key()));
    return keys;
  }

  View view(String part, Budget budget) {
    budget.items(size());
    List<Object> items = new ArrayList<>(size());
    for (Entry entry : entries()) {
      items.add(
          switch (part) {
            case "keys" -> entry.key();
            case "values" -> entry.value();
            default -> entry.pair();
          });
    }
    return new View("dict_" + part, items);
  }

  /** A key that equals by Java's rules what {@code value} equals by Python's. */
  static Object hashed(Object value, Budget budget) {
    return switch (value) {
      case Boolean flag -> flag ? 1L : 0L;
      case Double number -> {
        double d = number;
        yield d == Math.rint(d) && !Double.isInfinite(d) ? Numbers.toInteger(d) : number;
      }
      case String text -> {
        budget.work(text.length());
        yield text;
      }
      case Markup markup -> markup.text();
      case Tuple tuple -> {
        budget.enter();
        StringBuilder form = new StringBuilder();
        for (Object item : tuple.items()) {
          Object key = hashed(item, budget);
          String part =
              switch (key) {
                case String text -> text;
                case TupleKey inner -> inner.form();
                case None none -> "";
                case Number number -> number.toString();
                default -> throw unhashable(item);
              };
          form.append(key.getClass().getSimpleName()).append(part.length()).append(':');
          form.append(part);
          budget.fits(form.length());
        }
        budget.text(form.length());
        budget.exit();
        yield new TupleKey(form.toString());
      }
      case List<?> list -> throw unhashable(list);
      case Dict dict -> throw unhashable(dict);
      case Undefined undefined -> undefined.getClass();
      default -> value;
    };
  }

  private static JinjaException unhashable(Object value) {
    return new JinjaException.WrongValue(
        "expected a key that can be hashed, found a " + Values.type(value));
  }
}
