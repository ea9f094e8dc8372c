package io.trimtab.train;

import java.util.Locale;

/** Text and numbers as the report shows them. */
final class Html {
  private Html() {}

  /**
   * Text that shows as it is in an element or in a double-quoted attribute. What HTML cannot hold
   * (control characters, halves of surrogate pairs) becomes U+FFFD.
   */
  static String escape(String text) {
    StringBuilder out = new StringBuilder(text.length() + 16);
    text.codePoints()
        .forEach(
            c -> {
              switch (c) {
                case '&' -> out.append("&amp;");
                case '<' -> out.append("&lt;");
                case '>' -> out.append("&gt;");
                case '"' -> out.append("&quot;");
                case '\'' -> out.append("&#39;");
                case '\n', '\t' -> out.append((char) c);
                default -> {
                  boolean unfit = Character.isISOControl(c) || (c >= 0xD800 && c <= 0xDFFF);
                  out.appendCodePoint(unfit ? 0xFFFD : c);
                }
              }
            });
    return out.toString();
  }

  /**
   * Puts values in the place of each <code>{}</code>. Unlike a format string it knows no locale,
   * whose digits and commas would break attributes, and leaves percent signs alone.
   */
  static String fill(String template, Object... values) {
    StringBuilder out = new StringBuilder();
    int from = 0;
    for (Object value : values) {
      int hole = template.indexOf("{}", from);
      out.append(template, from, hole).append(value);
      from = hole + 2;
    }
    return out.append(template, from, template.length()).toString();
  }

  /** The first characters, with an ellipsis where there are more. */
  static String shorten(String text, int length) {
    return text.codePointCount(0, text.length()) <= length
        ? text
        : text.substring(0, text.offsetByCodePoints(0, length - 1)) + "…";
  }

  /** A share in percent with one decimal. */
  static String percent(double share) {
    return String.format(Locale.ROOT, "%.1f", 100 * share) + "\u00A0%";
  }

  /** A whole number with thin spaces between thousands. */
  static String whole(long number) {
    return String.format(Locale.ROOT, "%,d", number).replace(',', '\u202F');
  }

  /** Bytes in the unit that fits, a thousand to the next. */
  static String bytes(long bytes) {
    String[] units = {"B", "kB", "MB", "GB", "TB"};
    double value = bytes;
    int unit = 0;
    while (value >= 999.5 && unit < units.length - 1) {
      value /= 1000;
      unit++;
    }
    String number =
        unit == 0 || value >= 99.95
            ? String.format(Locale.ROOT, "%.0f", value)
            : String.format(Locale.ROOT, "%.1f", value);
    return number + "\u00A0" + units[unit];
  }

  /** A time span in the two units that fit. */
  static String duration(double seconds) {
    if (!(seconds >= 60)) {
      return String.format(Locale.ROOT, "%.1f", seconds) + "\u00A0s";
    }
    long whole = Math.round(seconds);
    return whole < 3600
        ? fill("{}\u00A0min {}\u00A0s", whole / 60, whole % 60)
        : fill("{}\u00A0h {}\u00A0min", whole / 3600, whole / 60 % 60);
  }
}
