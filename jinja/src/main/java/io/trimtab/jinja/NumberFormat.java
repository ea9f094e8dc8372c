package io.trimtab.jinja;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.Locale;

/** How both of Python's formatting languages print numbers. */
final class NumberFormat {
  /** More digits behind the point than any float has. */
  static final int MAX_PRECISION = 1100;

  private NumberFormat() {}

  /**
   * The digits of a float that is not negative.
   *
   * @param type one of {@code e E f F g G}
   * @param keepZeros for {@code g}: keep trailing zeros and the point
   */
  static String real(double value, char type, int precision, boolean keepZeros, Budget budget) {
    // Exact decimals have up to a thousand digits, whatever the precision.
    budget.work(2048 + 32L * Math.min(precision, MAX_PRECISION));
    boolean upper = Character.isUpperCase(type);
    String text;
    if (Double.isNaN(value) || Double.isInfinite(value)) {
      text = Double.isNaN(value) ? "nan" : "inf";
    } else {
      if (precision > MAX_PRECISION) {
        throw Budget.exceeded(MAX_PRECISION + " digits of precision");
      }
      text =
          switch (Character.toLowerCase(type)) {
            case 'e' -> scientific(value, precision);
            case 'f' ->
                new BigDecimal(value).setScale(precision, RoundingMode.HALF_EVEN).toPlainString();
            default -> general(value, Math.max(1, precision), keepZeros);
          };
    }
    return upper ? text.toUpperCase(Locale.ROOT) : text;
  }

  private static String scientific(double value, int precision) {
    BigDecimal exact = new BigDecimal(value);
    int exponent = value == 0 ? 0 : exact.precision() - exact.scale() - 1;
    BigDecimal rounded =
        exact.scaleByPowerOfTen(-exponent).setScale(precision, RoundingMode.HALF_EVEN);
    if (rounded.compareTo(BigDecimal.TEN) >= 0) {
      exponent++;
      rounded = exact.scaleByPowerOfTen(-exponent).setScale(precision, RoundingMode.HALF_EVEN);
    }
    return rounded.toPlainString()
        + (exponent < 0 ? "e-" : "e+")
        + (Math.abs(exponent) < 10 ? "0" : "")
        + Math.abs(exponent);
  }

  private static String general(double value, int precision, boolean keepZeros) {
    String scientific = scientific(value, precision - 1);
    int e = scientific.indexOf('e');
    int exponent = Integer.parseInt(scientific.substring(e + 1).replace("+", ""));
    if (exponent < -4 || exponent >= precision) {
      String digits = scientific.substring(0, e);
      return (keepZeros ? digits : trimmed(digits)) + scientific.substring(e);
    }
    String plain =
        new BigDecimal(value)
            .setScale(precision - 1 - exponent, RoundingMode.HALF_EVEN)
            .toPlainString();
    return keepZeros ? plain : trimmed(plain);
  }

  private static String trimmed(String digits) {
    if (digits.indexOf('.') < 0) {
      return digits;
    }
    int end = digits.length();
    while (digits.charAt(end - 1) == '0') {
      end--;
    }
    return digits.substring(0, digits.charAt(end - 1) == '.' ? end - 1 : end);
  }

  /** The digits of an integer that is not negative, for {@code d b o x X}. */
  static String integer(BigInteger value, char type, Budget budget) {
    Numbers.count(value.bitLength(), budget);
    return switch (type) {
      case 'b' -> value.toString(2);
      case 'o' -> value.toString(8);
      case 'x' -> value.toString(16);
      case 'X' -> value.toString(16).toUpperCase(Locale.ROOT);
      default -> value.toString();
    };
  }

  static String character(Object value) {
    String text = Values.asText(value);
    if (text != null && text.codePointCount(0, text.length()) == 1) {
      return text;
    }
    if (text == null && Numbers.isInteger(value)) {
      int c = Numbers.index(value, "a character");
      if (Character.isValidCodePoint(c)) {
        return Character.toString(c);
      }
    }
    throw new JinjaException.WrongValue("expected one character or its code to format as one");
  }
}
