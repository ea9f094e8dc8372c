package io.trimtab.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The arguments of a call. */
record Args(List<Object> positional, Map<String, Object> named) {
  static final Args NONE = new Args(List.of(), Map.of());

  /** The arguments behind the first {@code count}, which are positional. */
  Args after(int count) {
    return new Args(positional.subList(count, positional.size()), named);
  }

  /**
   * These arguments by the names of a signature.
   *
   * @param required how many of the names must be given
   */
  Bound bind(String function, int required, String... names) {
    if (positional.size() > names.length) {
      throw new JinjaException.WrongValue(
          "expected at most %d arguments of %s, found %d"
              .formatted(names.length, function, positional.size()));
    }
    List<@Nullable Object> values = new ArrayList<>(positional);
    while (values.size() < names.length) {
      values.add(null);
    }
    Map<String, Object> left = new LinkedHashMap<>(named);
    for (int i = 0; i < names.length; i++) {
      Object value = left.remove(names[i]);
      if (value != null && values.get(i) != null) {
        throw new JinjaException.WrongValue(
            "expected the argument " + names[i] + " of " + function + " once only");
      }
      if (value != null) {
        values.set(i, value);
      }
      if (i < required && values.get(i) == null) {
        throw new JinjaException.WrongValue(
            "expected an argument " + names[i] + " of " + function + ", found none");
      }
    }
    if (!left.isEmpty()) {
      throw new JinjaException.WrongValue(
          "expected no argument "
              + Undefined.shown(left.keySet().iterator().next())
              + " of "
              + function);
    }
    return new Bound(function, values);
  }

  /** Arguments in the order of a signature; null where one was not given. */
  record Bound(String function, List<@Nullable Object> values) {
    boolean has(int index) {
      return values.get(index) != null;
    }

    /** Neither left out nor none. */
    boolean given(int index) {
      return has(index) && values.get(index) != None.NONE;
    }

    Object get(int index) {
      return java.util.Objects.requireNonNull(values.get(index));
    }

    Object get(int index, Object fallback) {
      Object value = values.get(index);
      return value == null ? fallback : value;
    }

    String text(int index) {
      String text = Values.asText(get(index));
      if (text == null) {
        throw new JinjaException.WrongValue(
            "expected a text as argument "
                + (index + 1)
                + " of "
                + function
                + ", found a "
                + Values.type(get(index)));
      }
      return text;
    }

    int integer(int index, int fallback) {
      return has(index) ? Numbers.index(get(index), function) : fallback;
    }

    boolean flag(int index) {
      return has(index) && Values.truth(get(index));
    }
  }
}
