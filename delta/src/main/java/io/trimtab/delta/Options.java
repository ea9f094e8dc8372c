package io.trimtab.delta;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** Options as users type them, {@code key=value}, with errors that say what was expected. */
public final class Options {
  private final String method;
  private final Map<String, Given> typed = new HashMap<>();
  private final TreeSet<String> known = new TreeSet<>();

  /** The options typed for a method. */
  public Options(String method, Map<String, String> typed) {
    this.method = method;
    typed.forEach((key, value) -> this.typed.put(normal(key), new Given(key, value)));
  }

  /** An option as it was typed. */
  private record Given(String key, String value) {}

  /** Words of a key may be joined by dashes or underscores. */
  private static String normal(String key) {
    return key.replace('_', '-');
  }

  /** A text. */
  public String text(String key, String usual) {
    known.add(key);
    Given given = typed.get(normal(key));
    return given == null ? usual : given.value();
  }

  /** A list of texts with commas between them; empty where there is none. */
  public List<String> texts(String key) {
    String text = text(key, "").strip();
    return text.isEmpty() ? List.of() : List.of(text.split("\\s*,\\s*"));
  }

  /** A list of whole numbers with commas or blanks between them; empty where there is none. */
  public List<Integer> integers(String key) {
    String text = text(key, "").strip();
    try {
      return text.isEmpty()
          ? List.of()
          : Arrays.stream(text.split("[\\s,]+")).map(Integer::valueOf).toList();
    } catch (NumberFormatException e) {
      throw wrong(key, text, "whole numbers", e);
    }
  }

  /** A whole number. */
  public int integer(String key, int usual) {
    String text = text(key, String.valueOf(usual));
    try {
      return Integer.parseInt(text);
    } catch (NumberFormatException e) {
      throw wrong(key, text, "a whole number", e);
    }
  }

  /** A number. */
  public double decimal(String key, double usual) {
    String text = text(key, String.valueOf(usual));
    try {
      return Double.parseDouble(text);
    } catch (NumberFormatException e) {
      throw wrong(key, text, "a number", e);
    }
  }

  /** true or false. */
  public boolean flag(String key, boolean usual) {
    String text = text(key, String.valueOf(usual));
    if (!text.equals("true") && !text.equals("false")) {
      throw wrong(key, text, "true or false", null);
    }
    return text.equals("true");
  }

  /** Refuses options that the method never asked for. */
  public void checkAllUsed() {
    TreeSet<String> left = new TreeSet<>();
    Set<String> asked = known.stream().map(Options::normal).collect(Collectors.toSet());
    typed.forEach(
        (key, given) -> {
          if (!asked.contains(key)) {
            left.add(given.key());
          }
        });
    if (!left.isEmpty()) {
      throw new DeltaException(
          "found option "
              + String.join(", ", left)
              + " for "
              + method
              + (known.isEmpty()
                  ? ", expected none"
                  : ", expected some of " + String.join(", ", known)));
    }
  }

  private DeltaException wrong(
      String key, String found, String expected, @org.jspecify.annotations.Nullable Throwable e) {
    String message = "found " + key + "=" + found + " for " + method + ", expected " + expected;
    return e == null ? new DeltaException(message) : new DeltaException(message, e);
  }
}
