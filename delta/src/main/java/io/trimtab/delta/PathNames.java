package io.trimtab.delta;

import io.trimtab.hub.ModelConfig;
import java.util.List;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import java.util.stream.Stream;

/**
 * Names of modules of any kind, matched against paths: ends of paths that begin at a dot, or
 * regular expressions. For methods that go where an {@link Address}, which names projections, does
 * not.
 */
public final class PathNames {
  /** No names. */
  public static final PathNames NONE = new PathNames(List.of());

  private record Name(String text, Pattern pattern) {}

  private final List<Name> names;

  private PathNames(List<Name> names) {
    this.names = List.copyOf(names);
  }

  /**
   * Names with commas between them, or {@code [r]} and one regular expression that matches from the
   * begin or a dot to the end; a blank text is no names.
   */
  public static PathNames parse(String text) {
    String trimmed = text.strip();
    if (trimmed.isEmpty()) {
      return NONE;
    }
    if (trimmed.startsWith("[r]")) {
      return new PathNames(
          List.of(new Name(trimmed, compile("(?:.*\\.)?(?:" + trimmed.substring(3) + ")"))));
    }
    return suffixes(Stream.of(trimmed.split("\\s*,\\s*")).toList());
  }

  private static PathNames suffixes(List<String> texts) {
    return new PathNames(
        texts.stream()
            .map(text -> new Name(text, Pattern.compile("(?:.*\\.)?" + Pattern.quote(text))))
            .toList());
  }

  /**
   * A field of PEFT: a text is a regular expression over whole paths, a list holds ends of them.
   */
  public static PathNames fromConfig(ModelConfig config, String field) {
    if (config.isText(field)) {
      String regex = config.text(field);
      return new PathNames(List.of(new Name(regex, compile(regex))));
    }
    return suffixes(config.texts(field));
  }

  private static Pattern compile(String regex) {
    try {
      return Pattern.compile(regex);
    } catch (PatternSyntaxException e) {
      throw new DeltaException(
          "found \""
              + regex
              + "\" as a regular expression ("
              + e.getDescription()
              + " at "
              + e.getIndex()
              + "), expected Java's syntax",
          e);
    }
  }

  /** Whether there are none. */
  public boolean isEmpty() {
    return names.isEmpty();
  }

  /** The names as they are written. */
  public List<String> texts() {
    return names.stream().map(Name::text).toList();
  }

  /** Those of the names, as they are written, that match a path. */
  public List<String> matching(String path) {
    return names.stream()
        .filter(name -> name.pattern().matcher(path).matches())
        .map(Name::text)
        .toList();
  }

  @Override
  public String toString() {
    return String.join(",", texts());
  }
}
