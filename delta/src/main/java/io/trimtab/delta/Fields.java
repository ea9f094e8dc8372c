package io.trimtab.delta;

import io.trimtab.hub.ModelConfig;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * The fields that say what another library's delta is, with an account of them: what changes the
 * result and is not computed, and what nobody knows, is refused by name.
 */
public final class Fields {
  private final ModelConfig config;
  private final String what;
  private final Set<String> known = new LinkedHashSet<>();
  private final List<String> refused = new ArrayList<>();

  /**
   * Opens an account.
   *
   * @param what they describe, for the error, such as {@code lora}
   */
  public Fields(ModelConfig config, String what) {
    this.config = config;
    this.what = what;
  }

  /** The fields themselves, for what needs no account. */
  public ModelConfig config() {
    return config;
  }

  /** A whole number that has to be there. */
  public int integer(String field) {
    known.add(field);
    return config.integer(field);
  }

  /** A number, or {@code usual} where there is none. */
  public double decimal(String field, double usual) {
    known.add(field);
    return config.decimal(field, usual);
  }

  /** True or false, or {@code usual} where there is neither. */
  public boolean flag(String field, boolean usual) {
    known.add(field);
    return config.flag(field, usual);
  }

  /** A text, or {@code usual} where there is none. */
  public String text(String field, String usual) {
    known.add(field);
    return config.text(field, usual);
  }

  /** A list of texts; empty where there is none. */
  public List<String> texts(String field) {
    known.add(field);
    return config.texts(field);
  }

  /** A list of whole numbers; empty where there is none. */
  public List<Integer> integers(String field) {
    known.add(field);
    return config.integers(field);
  }

  /** Whether it is a text, where it may be something else. */
  public boolean isText(String field) {
    known.add(field);
    return config.isText(field);
  }

  /** Fields that say how training began, or that this kind of model has no use for. */
  public void ignore(String... fields) {
    known.addAll(List.of(fields));
  }

  /** A field that has to have one value. */
  public void need(String field, boolean only) {
    known.add(field);
    if (config.flag(field, only) != only) {
      refused.add(field + " " + !only);
    }
  }

  /** A field that has to have one value. */
  public void need(String field, String only) {
    known.add(field);
    String found = config.text(field, only);
    if (!found.equals(only)) {
      refused.add(field + " " + found);
    }
  }

  /** A field that has to have one value. */
  public void need(String field, double only) {
    known.add(field);
    double found = config.decimal(field, only);
    if (found != only) {
      refused.add(field + " " + found);
    }
  }

  /** A field that must not have a value. */
  public void needNone(String field) {
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
  public void close() {
    config.fields().stream()
        .filter(field -> config.has(field) && !known.contains(field))
        .forEach(refused::add);
    if (!refused.isEmpty()) {
      throw new DeltaException.Unsupported(
          "found "
              + String.join(", ", refused)
              + " for "
              + what
              + " in "
              + config.path()
              + ", expected an adapter without; what this changes in the result is not computed");
    }
  }
}
