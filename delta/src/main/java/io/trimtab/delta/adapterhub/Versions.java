package io.trimtab.delta.adapterhub;

import io.trimtab.hub.ModelConfig;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Which version of the library wrote a file. */
final class Versions {
  private static final String LIBRARY = "adapters.";
  private static final Pattern NUMBERS = Pattern.compile("(\\d{1,6})\\.(\\d{1,6})");

  private Versions() {}

  /** Whether it was one before the given; false where the file does not say. */
  static boolean isBefore(ModelConfig config, int major, int minor) {
    String version = config.text("version", "");
    if (!version.startsWith(LIBRARY)) {
      return false;
    }
    Matcher numbers = NUMBERS.matcher(version.substring(LIBRARY.length()));
    if (!numbers.lookingAt()) {
      return false;
    }
    int first = Integer.parseInt(numbers.group(1));
    return first < major || (first == major && Integer.parseInt(numbers.group(2)) < minor);
  }
}
