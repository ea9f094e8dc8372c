package io.trimtab.delta;

import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** Options as users type them, {@code key=value}, with errors that say what was expected. */
public final class Options {
  /** Where what is asked for is noted down, while somebody wants to know. */
  private static final ScopedValue<Map<String, Asked>> NOTES = ScopedValue.newInstance();

  private final String method;
  private final Map<String, Given> typed = new HashMap<>();
  private final TreeSet<String> known = new TreeSet<>();

  /** What an option's value has to be. */
  public enum Kind {
    /** Any text. */
    TEXT,
    /** Texts with commas between them. */
    TEXTS,
    /** A whole number. */
    INTEGER,
    /** Whole numbers with commas between them. */
    INTEGERS,
    /** A number. */
    DECIMAL,
    /** true or false. */
    FLAG
  }

  /**
   * An option that a method asked for.
   *
   * @param key its name
   * @param kind what its value has to be
   * @param usual what it is where it is not typed; empty for none
   */
  public record Asked(String key, Kind kind, String usual) {}

  /**
   * The options that are asked for while something is done, in the order of their first mention:
   * how a method's options are found out, by having it read none.
   */
  public static List<Asked> askedFor(Runnable work) {
    Map<String, Asked> notes = new LinkedHashMap<>();
    ScopedValue.where(NOTES, notes).run(work);
    return List.copyOf(notes.values());
  }

  /** The options typed for a method. */
  public Options(String method, Map<String, String> typed) {
    this.method = method;
    typed.forEach((key, value) -> this.typed.put(normal(key), new Given(key, value)));
  }

  /** The options typed for a method, with those of its preset where one is named. */
  public Options(DeltaMethod method, Map<String, String> typed) {
    this(method.name(), method.presets().under(typed, method.name()));
  }

  /** An option as it was typed. */
  private record Given(String key, String value) {}

  /** Words of a key may be joined by dashes or underscores. */
  private static String normal(String key) {
    return key.replace('_', '-');
  }

  /** Whether an option was typed, or is a preset's. */
  public boolean has(String key) {
    return typed.containsKey(normal(key));
  }

  /** A text. */
  public String text(String key, String usual) {
    return typed(key, Kind.TEXT, usual);
  }

  private String typed(String key, Kind kind, String usual) {
    known.add(key);
    if (NOTES.isBound()) {
      NOTES.get().putIfAbsent(normal(key), new Asked(key, kind, usual));
    }
    Given given = typed.get(normal(key));
    return given == null ? usual : given.value();
  }

  /** A list of texts with commas between them; empty where there is none. */
  public List<String> texts(String key) {
    String text = typed(key, Kind.TEXTS, "").strip();
    return text.isEmpty() ? List.of() : List.of(text.split("\\s*,\\s*"));
  }

  /** A list of whole numbers with commas or blanks between them; empty where there is none. */
  public List<Integer> integers(String key) {
    String text = typed(key, Kind.INTEGERS, "").strip();
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
    String text = typed(key, Kind.INTEGER, String.valueOf(usual));
    try {
      return Integer.parseInt(text);
    } catch (NumberFormatException e) {
      throw wrong(key, text, "a whole number", e);
    }
  }

  /** A number. */
  public double decimal(String key, double usual) {
    String text = typed(key, Kind.DECIMAL, String.valueOf(usual));
    try {
      return Double.parseDouble(text);
    } catch (NumberFormatException e) {
      throw wrong(key, text, "a number", e);
    }
  }

  /** true or false. */
  public boolean flag(String key, boolean usual) {
    String text = typed(key, Kind.FLAG, String.valueOf(usual));
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
