package io.trimtab.jinja;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The one thing that a template can change: attributes that outlive a loop's pass. */
final class Namespace {
  private final Map<String, Object> attributes = new LinkedHashMap<>();

  /** The attribute, or null. */
  @Nullable Object get(String name) {
    return attributes.get(name);
  }

  void set(String name, Object value, Budget budget) {
    budget.work(name.length());
    budget.entries(1);
    if (name.startsWith("_")) {
      throw new JinjaException.Forbidden(
          "expected a name without a leading underscore to store on a namespace, found "
              + Undefined.shown(name));
    }
    attributes.put(name, value);
  }
}
