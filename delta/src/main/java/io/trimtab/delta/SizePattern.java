package io.trimtab.delta;

import io.trimtab.hub.ModelConfig;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * Another size for some layers, as in PEFT's {@code block_size_pattern} and {@code
 * n_frequency_pattern}.
 *
 * @param sizes by regular expressions for the end of a path; of two that match the first counts
 */
public record SizePattern(Map<String, Integer> sizes) {
  /** The same size everywhere. */
  public static final SizePattern NONE = new SizePattern(Map.of());

  /** Copies the map and keeps its order. */
  public SizePattern {
    sizes = Collections.unmodifiableMap(new LinkedHashMap<>(sizes));
  }

  /** What a field of {@code adapter_config.json} says; empty where there is none. */
  public static SizePattern fromConfig(ModelConfig config, String field) {
    if (!config.has(field)) {
      return NONE;
    }
    ModelConfig section = config.section(field);
    Map<String, Integer> sizes = new LinkedHashMap<>();
    section.fields().forEach(key -> sizes.put(key, section.integer(key)));
    return new SizePattern(sizes);
  }

  /** The size for a layer: a key is its whole path, or matches what comes after a dot of it. */
  public int at(String path, int usual) {
    for (Map.Entry<String, Integer> entry : sizes.entrySet()) {
      if (entry.getKey().equals(path) || Pattern.matches(".*\\.(?:" + entry.getKey() + ")", path)) {
        return entry.getValue();
      }
    }
    return usual;
  }
}
