package io.trimtab.jinja;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Variables; those of the scopes around are seen, and hidden by assignment, never changed. */
final class Scope {
  private final @Nullable Scope around;
  private final Map<String, Object> variables = new HashMap<>();

  Scope(@Nullable Scope around) {
    this.around = around;
  }

  @Nullable Object get(String name) {
    for (Scope scope = this; scope != null; scope = scope.around) {
      Object value = scope.variables.get(name);
      if (value != null) {
        return value;
      }
    }
    return null;
  }

  void set(String name, Object value) {
    variables.put(name, value);
  }
}
