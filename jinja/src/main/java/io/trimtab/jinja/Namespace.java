package io.trimtab.jinja;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The one thing that a template can change: attributes that outlive a loop's pass. */
final class Namespace {
  private final Map<String, Object> attributes = new LinkedHashMap<>();

  @Nullable Object get(String name) {
    return attributes.get(name);
  }

  void set(String name, Object value) {
    if (name.startsWith("_")) {
      throw new JinjaException.Forbidden(
          "expected a name without a leading underscore to store on a namespace, found " + name);
    }
    attributes.put(name, value);
  }
}
