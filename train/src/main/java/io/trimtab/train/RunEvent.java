package io.trimtab.train;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalDouble;

/**
 * One line of a run's {@code metrics.jsonl}: {@code {"step":12,"event":"train","loss":0.41}}.
 *
 * @param step steps done when it happened; 0 before the first
 * @param event what happened, such as "train", "dev", "test"
 * @param values named texts, numbers, booleans, lists or maps; JSON has no NaN and no infinity, so
 *     these are written as the texts "NaN", "Infinity" and "-Infinity"
 */
public record RunEvent(long step, String event, Map<String, Object> values) {
  /**
   * Keeps an unmodifiable copy in the given order.
   *
   * @throws RunException if a value is called "step" or "event"
   */
  public RunEvent {
    values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
    if (values.containsKey("step") || values.containsKey("event")) {
      throw new RunException(
          "a value of the event \"%s\" is called \"step\" or \"event\"; give it another name"
              .formatted(event));
    }
  }

  /** A number by name, also where it was written as NaN or infinity; empty if it is none. */
  public OptionalDouble number(String name) {
    return switch (values.get(name)) {
      case Number number -> OptionalDouble.of(number.doubleValue());
      case String text when text.equals("NaN") -> OptionalDouble.of(Double.NaN);
      case String text when text.equals("Infinity") -> OptionalDouble.of(Double.POSITIVE_INFINITY);
      case String text when text.equals("-Infinity") -> OptionalDouble.of(Double.NEGATIVE_INFINITY);
      case null, default -> OptionalDouble.empty();
    };
  }
}
