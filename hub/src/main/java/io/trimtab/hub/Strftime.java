package io.trimtab.hub;

import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.temporal.IsoFields;
import java.util.Locale;

/** Python's {@code datetime.strftime} of a time without a zone, in the C locale. */
final class Strftime {
  private static final String[] DAYS = {
    "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"
  };
  private static final String[] MONTHS = {
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December"
  };

  private Strftime() {}

  static String format(String format, LocalDateTime time) {
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < format.length(); i++) {
      char c = format.charAt(i);
      if (c != '%' || i + 1 >= format.length()) {
        out.append(c);
        continue;
      }
      char flag = format.charAt(++i);
      if ("-_0^#".indexOf(flag) >= 0 && i + 1 < format.length()) {
        out.append(flagged(flag, field(format.charAt(++i), time)));
      } else {
        out.append(field(flag, time));
      }
    }
    return out.toString();
  }

  /** The GNU flags: no padding, padding by blanks or zeros, upper case. */
  private static String flagged(char flag, String field) {
    return switch (flag) {
      case '-' -> field.replaceFirst("^[0 ]+(?=.)", "");
      case '_' -> {
        String digits = field.replaceFirst("^0+(?=.)", "");
        yield " ".repeat(field.length() - digits.length()) + digits;
      }
      case '0' -> field.replace(' ', '0');
      default -> field.toUpperCase(Locale.ROOT);
    };
  }

  private static String field(char code, LocalDateTime t) {
    int weekday = t.getDayOfWeek().getValue() % 7;
    return switch (code) {
      case 'Y' -> String.valueOf(t.getYear());
      case 'C' -> two(t.getYear() / 100);
      case 'y' -> two(t.getYear() % 100);
      case 'm' -> two(t.getMonthValue());
      case 'd' -> two(t.getDayOfMonth());
      case 'e' -> padded(t.getDayOfMonth(), 2, ' ');
      case 'j' -> padded(t.getDayOfYear(), 3, '0');
      case 'H' -> two(t.getHour());
      case 'k' -> padded(t.getHour(), 2, ' ');
      case 'I' -> two((t.getHour() + 11) % 12 + 1);
      case 'l' -> padded((t.getHour() + 11) % 12 + 1, 2, ' ');
      case 'M' -> two(t.getMinute());
      case 'S' -> two(t.getSecond());
      case 'f' -> padded(t.getNano() / 1000, 6, '0');
      case 'p' -> t.getHour() < 12 ? "AM" : "PM";
      case 'P' -> t.getHour() < 12 ? "am" : "pm";
      case 'A' -> DAYS[weekday];
      case 'a' -> DAYS[weekday].substring(0, 3);
      case 'B' -> MONTHS[t.getMonthValue() - 1];
      case 'b', 'h' -> MONTHS[t.getMonthValue() - 1].substring(0, 3);
      case 'u' -> String.valueOf(t.getDayOfWeek().getValue());
      case 'w' -> String.valueOf(weekday);
      case 'U' -> two((t.getDayOfYear() + 6 - weekday) / 7);
      case 'W' -> two((t.getDayOfYear() + 6 - (weekday + 6) % 7) / 7);
      case 'V' -> two(t.get(IsoFields.WEEK_OF_WEEK_BASED_YEAR));
      case 'G' -> String.valueOf(t.get(IsoFields.WEEK_BASED_YEAR));
      case 'g' -> two(t.get(IsoFields.WEEK_BASED_YEAR) % 100);
      case 'D', 'x' -> format("%m/%d/%y", t);
      case 'F' -> format("%Y-%m-%d", t);
      case 'T', 'X' -> format("%H:%M:%S", t);
      case 'R' -> format("%H:%M", t);
      case 'r' -> format("%I:%M:%S %p", t);
      case 'c' -> format("%a %b %e %H:%M:%S %Y", t);
      case 's' -> String.valueOf(t.atZone(ZoneId.systemDefault()).toEpochSecond());
      case 'n' -> "\n";
      case 't' -> "\t";
      case '%' -> "%";
      case 'z', 'Z' -> ""; // The time knows no zone.
      default -> "%" + code;
    };
  }

  private static String two(int value) {
    return padded(value, 2, '0');
  }

  private static String padded(int value, int width, char fill) {
    String digits = String.valueOf(value);
    return String.valueOf(fill).repeat(Math.max(0, width - digits.length())) + digits;
  }
}
