package io.trimtab.delta.lora;

import java.util.Map;
import java.util.regex.Pattern;

/** PEFT's {@code rank_pattern} and {@code alpha_pattern}. */
final class LoraPatterns {
  private LoraPatterns() {}

  /** The value of the key that a path, or its part after a dot, matches to its end. */
  static <V> V of(Map<String, V> patterns, String path, V usual) {
    for (Map.Entry<String, V> entry : patterns.entrySet()) {
      if (Pattern.matches("(.*\\.)?(" + entry.getKey() + ")", path)) {
        return entry.getValue();
      }
    }
    return usual;
  }
}
