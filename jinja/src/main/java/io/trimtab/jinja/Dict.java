package io.trimtab.jinja;

import java.math.BigInteger;
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

  /**
   * By {@link #key}. Strings order themselves, so the table copes with any that collide on purpose,
   * which it would not if keys of several types did.
   */
  private final Map<String, Entry> entries = new LinkedHashMap<>();

  /** A view of a dictionary's keys, values or items, which prints with its kind's name. */
  record View(String kind, List<Object> items) {}

  /** The value of a key, or null; a key that cannot be hashed is an error. */
  @Nullable Object get(Object key, Budget budget) {
    Entry entry = entries.get(hashed(key, budget));
    return entry == null ? null : entry.value();
  }

  /** The value of a key, or null, also if no dictionary can have such a key. */
  @Nullable Object find(Object key, Budget budget) {
    String form = key(key, budget);
    Entry entry = form == null ? null : entries.get(form);
    return entry == null ? null : entry.value();
  }

  void put(Object key, Object value, Budget budget) {
    budget.entries(1);
    put(hashed(key, budget), new Entry(key, value));
  }

  void putAll(Dict other, Budget budget) {
    budget.entries(other.size());
    other.entries.forEach(this::put);
  }

  private void put(String form, Entry entry) {
    entries.merge(form, entry, (old, fresh) -> new Entry(old.key(), fresh.value()));
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
    budget.items(part.equals("items") ? 3L * size() : size());
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

  /** As {@link #key}; what cannot be hashed is an error. */
  static String hashed(Object value, Budget budget) {
    String key = key(value, budget);
    if (key == null) {
      throw new JinjaException.WrongValue(
          "expected a key that can be hashed, found a " + Values.type(value));
    }
    return key;
  }

  /**
   * A text that is the same for two values exactly if Python has them equal, or null for what
   * cannot be a key. Most texts are their own; a zero and a letter stand before the form of
   * anything else. What Python would tell apart by its place in memory cannot be a key here.
   */
  private static @Nullable String key(Object value, Budget budget) {
    return switch (value) {
      case String text -> text(text, budget);
      case Markup markup -> text(markup.text(), budget);
      case Boolean flag -> flag ? "\0i1" : "\0i0";
      case Long number -> "\0i" + Long.toString(number, 16);
      case BigInteger number -> {
        budget.text(number.bitLength() / 4);
        yield "\0i" + number.toString(16);
      }
      case Double number -> {
        double d = number;
        yield d == Math.rint(d) && !Double.isInfinite(d)
            ? key(Numbers.toInteger(d), budget)
            : "\0f" + d;
      }
      case None none -> "\0n";
      case Undefined undefined -> "\0u";
      case Tuple tuple -> tuple(tuple, budget);
      case Range range -> {
        int size = range.size();
        yield "\0r"
            + size
            + (size > 0 ? "," + range.start() : "")
            + (size > 1 ? "," + range.step() : "");
      }
      default -> null;
    };
  }

  private static String text(String text, Budget budget) {
    budget.work(text.length());
    if (!text.startsWith("\0")) {
      return text;
    }
    budget.text(text.length());
    return "\0s" + text;
  }

  private static @Nullable String tuple(Tuple tuple, Budget budget) {
    budget.enter();
    StringBuilder form = new StringBuilder("\0t");
    for (Object item : tuple.items()) {
      budget.step();
      String part = key(item, budget);
      if (part == null) {
        budget.exit();
        return null;
      }
      budget.fits((long) form.length() + part.length());
      form.append(part.length()).append(':').append(part);
    }
    budget.text(2L * form.length());
    budget.exit();
    return form.toString();
  }
}
