package io.trimtab.jinja;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Variables; those of the scopes around are seen, and hidden by assignment, never changed. */
final class Scope {
  private final @Nullable Scope around;
  private final Map<String, Object> variables = new HashMap<>();

  /** The variables that a template is given. */
  Scope() {
    this.around = null;
  }

  Scope(Scope around, Budget budget) {
    budget.entries(1);
    this.around = around;
  }

  @Nullable Object get(String name, Budget budget) {
    Object value = variables.get(name);
    for (Scope scope = around; value == null && scope != null; scope = scope.around) {
      budget.work(4);
      value = scope.variables.get(name);
    }
    return value;
  }

  void set(String name, Object value) {
    variables.put(name, value);
  }

  void set(String name, Object value, Budget budget) {
    budget.objects(1);
    set(name, value);
  }
}
