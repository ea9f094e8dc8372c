package io.trimtab.jinja;

import java.util.List;

/**
 * Python's tuple; plain {@link List}s are its lists.
 *
 * @param grouped whether it is a pair that the filter groupby made, whose parts have names too
 */
record Tuple(List<Object> items, boolean grouped) {
  Tuple(List<Object> items) {
    this(items, false);
  }

  static Tuple of(Object... items) {
    return new Tuple(List.of(items));
  }

  static Tuple group(Object key, List<Object> members) {
    return new Tuple(List.of(key, members), true);
  }
}
