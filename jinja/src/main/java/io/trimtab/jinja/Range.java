package io.trimtab.jinja;

import java.util.AbstractList;
import java.util.List;

/** Python's range; {@code step} is not zero. */
record Range(long start, long stop, long step) {
  int size() {
    long size = step > 0 ? (stop - start + step - 1) / step : (start - stop - step - 1) / -step;
    return (int) Math.clamp(size, 0L, Integer.MAX_VALUE);
  }

  List<Object> items() {
    return new AbstractList<>() {
      @Override
      public Object get(int index) {
        return start + index * step;
      }

      @Override
      public int size() {
        return Range.this.size();
      }
    };
  }
}
