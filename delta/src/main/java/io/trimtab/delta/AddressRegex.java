package io.trimtab.delta;

import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/** What patterns of an address become: tests of paths. */
final class AddressRegex {
  private static final String FROM_A_DOT = "(?:.*\\.)?";

  private AddressRegex() {}

  /**
   * Compiles a regular expression. Those that come from Python may write named groups as Python
   * does.
   *
   * @throws DeltaException where it is none
   */
  static Pattern compile(String regex) {
    try {
      return Pattern.compile(regex.replace("(?P<", "(?<"));
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
    } catch (StackOverflowError e) {
      throw new DeltaException(
          "found a regular expression of "
              + regex.length()
              + " characters with too many groups inside each other, expected a simpler one",
          e);
    }
  }

  /** Whether a regular expression matches a whole path. */
  static Predicate<String> full(String regex) {
    Pattern pattern = compile(regex);
    return path -> {
      try {
        return pattern.matcher(path).matches();
      } catch (StackOverflowError e) {
        throw new DeltaException(
            "found the regular expression \"" + regex + "\" too deep to match, expected another",
            e);
      }
    };
  }

  /**
   * Whether some match starts at a dot and ends at the end. Matching the whole path with anything
   * before that dot tries every start, which searching for the leftmost match does not.
   */
  static Predicate<String> search(String regex) {
    compile(regex); // so that an error shows the expression as it was written
    return full(FROM_A_DOT + "(?:" + regex + ")");
  }

  /**
   * Whether a glob fits a path from a dot to the end: {@code *} is any characters but dots, {@code
   * ?} one of them, {@code **} any characters; {@code **.} may also be nothing.
   */
  static Predicate<String> glob(String glob) {
    StringBuilder regex = new StringBuilder(FROM_A_DOT);
    int i = 0;
    while (i < glob.length()) {
      boolean starts = i == 0 || glob.charAt(i - 1) == '.';
      if (starts && glob.startsWith("**.", i)) {
        regex.append("(?:.*\\.)?");
        i += 3;
      } else if (glob.startsWith("**", i)) {
        regex.append(starts ? ".+" : ".*");
        i += 2;
      } else {
        char c = glob.charAt(i++);
        regex.append(
            switch (c) {
              case '*' -> "[^.]*";
              case '?' -> "[^.]";
              default -> Pattern.quote(String.valueOf(c));
            });
      }
    }
    return full(regex.toString());
  }
}
