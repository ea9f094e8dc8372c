package io.trimtab.delta;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/**
 * What the origins of a method take where their users say nothing: {@code adapterhub}, {@code
 * opendelta}, {@code peft} and {@code paper}, as options of the method here. An origin that lacks
 * the method has no preset of it.
 *
 * @param byName options by the origin's name
 */
public record Presets(SequencedMap<String, Map<String, String>> byName) {
  /** What options call it. */
  public static final String OPTION = "preset";

  /** No origin but our own. */
  public static final Presets NONE = new Presets(new LinkedHashMap<>());

  /** Copies the maps, whose order is kept. */
  public Presets {
    SequencedMap<String, Map<String, String>> copy = new LinkedHashMap<>();
    byName.forEach(
        (name, options) ->
            copy.put(name, Collections.unmodifiableMap(new LinkedHashMap<>(options))));
    byName = Collections.unmodifiableSequencedMap(copy);
  }

  /**
   * The same with one more.
   *
   * @param options {@code key=value} with blanks between them; none where all is as here
   */
  public Presets with(String name, String options) {
    Map<String, String> parsed = new LinkedHashMap<>();
    for (String option : options.isBlank() ? new String[0] : options.strip().split("\\s+")) {
      int equals = option.indexOf('=');
      parsed.put(option.substring(0, equals), option.substring(equals + 1));
    }
    SequencedMap<String, Map<String, String>> more = new LinkedHashMap<>(byName);
    more.put(name, parsed);
    return new Presets(more);
  }

  /** The names, in the order they were given in. */
  public List<String> names() {
    return List.copyOf(byName.keySet());
  }

  /**
   * The options of a preset.
   *
   * @param method whose presets these are, for the error
   * @throws DeltaException where there is none of that name
   */
  public Map<String, String> named(String name, String method) {
    Map<String, String> options = byName.get(name);
    if (options == null) {
      throw new DeltaException(
          "found preset="
              + name
              + " for "
              + method
              + (byName.isEmpty()
                  ? ", expected none: no other library has this method with settings of its own"
                  : ", expected " + String.join(", ", byName.keySet())));
    }
    return options;
  }

  /** The typed options, and below them those of the preset among them. */
  Map<String, String> under(Map<String, String> typed, String method) {
    String name = typed.get(OPTION);
    if (name == null) {
      return typed;
    }
    Map<String, String> all = new LinkedHashMap<>(named(name, method));
    typed.forEach(
        (key, value) -> {
          if (!key.equals(OPTION)) {
            all.keySet().removeIf(own -> own.replace('_', '-').equals(key.replace('_', '-')));
            all.put(key, value);
          }
        });
    return all;
  }
}
