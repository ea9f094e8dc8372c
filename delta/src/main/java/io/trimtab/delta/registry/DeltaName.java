package io.trimtab.delta.registry;

import java.util.Comparator;
import java.util.regex.Pattern;

/**
 * What a delta is called: {@code NAME} or {@code NAME:TAG}.
 *
 * @param name letters, digits, dots, dashes and underscores
 * @param tag the same; {@code latest} where none is given
 */
public record DeltaName(String name, String tag) implements Comparable<DeltaName> {
  private static final Pattern WORD = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,99}");

  /** Checks both, which become names of files. */
  public DeltaName {
    if (!WORD.matcher(name).matches() || !WORD.matcher(tag).matches()) {
      throw new RegistryException(
          "found the name \""
              + name
              + ":"
              + tag
              + "\" for a delta, expected NAME or NAME:TAG of letters, digits, dots, dashes and"
              + " underscores, such as tickets:v2");
    }
  }

  /** Reads one as people type it. */
  public static DeltaName parse(String text) {
    int colon = text.indexOf(':');
    return colon < 0
        ? new DeltaName(text, DeltaRegistry.LATEST)
        : new DeltaName(text.substring(0, colon), text.substring(colon + 1));
  }

  /** Whether a text may be a name. */
  static boolean fits(String text) {
    return text.matches(WORD.pattern() + "(:" + WORD.pattern() + ")?");
  }

  @Override
  public int compareTo(DeltaName other) {
    return Comparator.comparing(DeltaName::name).thenComparing(DeltaName::tag).compare(this, other);
  }

  @Override
  public String toString() {
    return tag.equals(DeltaRegistry.LATEST) ? name : name + ":" + tag;
  }
}
