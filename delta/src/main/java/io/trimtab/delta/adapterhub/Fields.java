package io.trimtab.delta.adapterhub;

import io.trimtab.delta.DeltaException;
import io.trimtab.hub.ModelConfig;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * The fields of one architecture, with an account of them: what changes the result and is not
 * computed, and what nobody knows, is refused by name.
 */
final class Fields {
  private final ModelConfig config;
  private final Set<String> known = new LinkedHashSet<>(Set.of("architecture"));
  private final List<String> refused = new ArrayList<>();

  Fields(ModelConfig config) {
    this.config = config;
  }

  ModelConfig config() {
    return config;
  }

  int integer(String field) {
    known.add(field);
    return config.integer(field);
  }

  double decimal(String field, double usual) {
    known.add(field);
    return config.decimal(field, usual);
  }

  boolean flag(String field, boolean usual) {
    known.add(field);
    return config.flag(field, usual);
  }

  String text(String field, String usual) {
    known.add(field);
    return config.text(field, usual);
  }

  List<String> texts(String field) {
    known.add(field);
    return config.texts(field);
  }

  List<Integer> integers(String field) {
    known.add(field);
    return config.integers(field);
  }

  boolean isText(String field) {
    known.add(field);
    return config.isText(field);
  }

  /** Fields that say how training began, or that this kind of model has no use for. */
  void ignore(String... fields) {
    known.addAll(List.of(fields));
  }

  /** A field that has to have one value. */
  void need(String field, boolean only) {
    known.add(field);
    if (config.flag(field, only) != only) {
      refused.add(field + " " + !only);
    }
  }

  /** A field that has to have one value. */
  void need(String field, String only) {
    known.add(field);
    String found = config.text(field, only);
    if (!found.equals(only)) {
      refused.add(field + " " + found);
    }
  }

  /** A field that has to have one value. */
  void need(String field, double only) {
    known.add(field);
    double found = config.decimal(field, only);
    if (found != only) {
      refused.add(field + " " + found);
    }
  }

  /** A field that must not have a value. */
  void needNone(String field) {
    known.add(field);
    if (config.has(field)) {
      refused.add(field);
    }
  }

  /**
   * Ends the account.
   *
   * @throws DeltaException.Unsupported where a field is not computed
   */
  void close() {
    config.fields().stream()
        .filter(field -> config.has(field) && !known.contains(field))
        .forEach(refused::add);
    if (!refused.isEmpty()) {
      throw new DeltaException.Unsupported(
          "found "
              + String.join(", ", refused)
              + " for "
              + config.text("architecture", "bottleneck")
              + " in "
              + config.path()
              + ", expected an adapter without; what this changes in the result is not computed");
    }
  }
}
