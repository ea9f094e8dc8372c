package io.trimtab.jinja;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.math.RoundingMode;

/** Python's numbers: booleans count as integers, integers do not overflow. */
final class Numbers {
  /** Python converts no longer integers from and to text either. */
  static final int MAX_DIGITS = 4300;

  private static final int MAX_BITS = 14_284;

  /** What comparing with what is not a number at all gives. */
  static final int UNORDERED = Integer.MIN_VALUE;

  private Numbers() {}

  static boolean isNumber(Object value) {
    return value instanceof Number || value instanceof Boolean;
  }

  static boolean isInteger(Object value) {
    return isNumber(value) && !(value instanceof Double);
  }

  /** The smallest type that holds an integer. */
  static Object normal(BigInteger value) {
    if (value.bitLength() > MAX_BITS) {
      throw Budget.exceeded(MAX_DIGITS + " digits of an integer");
    }
    return value.bitLength() < 64 ? (Object) value.longValue() : value;
  }

  static BigInteger big(Object value) {
    return switch (value) {
      case Boolean flag -> flag ? BigInteger.ONE : BigInteger.ZERO;
      case BigInteger number -> number;
      default -> BigInteger.valueOf(((Number) value).longValue());
    };
  }

  static double real(Object value) {
    double result = value instanceof Boolean flag ? (flag ? 1 : 0) : ((Number) value).doubleValue();
    if (Double.isInfinite(result) && !(value instanceof Double)) {
      throw new JinjaException.WrongValue("int too large to convert to float");
    }
    return result;
  }

  /** The integer part of a finite number. */
  static Object toInteger(double value) {
    if (Double.isNaN(value) || Double.isInfinite(value)) {
      throw new JinjaException.WrongValue(
          "cannot convert float " + Repr.real(value) + " to integer");
    }
    return normal(new BigDecimal(value).toBigInteger());
  }

  /** An integer that fits an index or a count, cut to the range of {@code int}. */
  static int index(Object value, String what) {
    if (value instanceof Undefined undefined) {
      throw undefined.used();
    }
    if (!isInteger(value)) {
      throw new JinjaException.WrongValue(
          "expected an integer for " + what + ", found a " + Values.type(value));
    }
    BigInteger number = big(value);
    return number.bitLength() < 32
        ? number.intValue()
        : number.signum() < 0 ? -Integer.MAX_VALUE : Integer.MAX_VALUE;
  }

  static boolean equal(Object a, Object b) {
    if (a instanceof Double || b instanceof Double) {
      double x = ((Number) plain(a)).doubleValue();
      double y = ((Number) plain(b)).doubleValue();
      return x == y && compare(a, b) == 0;
    }
    return big(a).equals(big(b));
  }

  private static Object plain(Object value) {
    return value instanceof Boolean flag ? (Object) (flag ? 1L : 0L) : value;
  }

  /**
   * Counts the time and memory of an operation on two numbers, which beyond a {@code long} are
   * those of schoolbook arithmetic.
   */
  static void count(Object a, Object b, Budget budget) {
    if (a instanceof BigInteger || b instanceof BigInteger) {
      count((long) bits(a) + bits(b), budget);
    }
  }

  /** Counts making, parsing or printing an integer, which takes time by its length squared. */
  static void count(long bits, Budget budget) {
    budget.work(256 + ((bits * bits) >> 11));
    budget.text(bits / 8);
  }

  private static int bits(Object value) {
    return value instanceof BigInteger number ? number.bitLength() : 64;
  }

  /** The digits of an integer. */
  static String digits(Number number, Budget budget) {
    if (number instanceof BigInteger big) {
      count(big.bitLength(), budget);
    }
    return number.toString();
  }

  /** Negative, zero or positive, or {@link #UNORDERED}. */
  static int compare(Object a, Object b) {
    if (a instanceof Long x && b instanceof Long y) {
      return Long.compare(x, y);
    }
    if (a instanceof Double || b instanceof Double) {
      double x = ((Number) plain(a)).doubleValue();
      double y = ((Number) plain(b)).doubleValue();
      if (Double.isNaN(x) || Double.isNaN(y)) {
        return UNORDERED;
      }
      if (Double.isInfinite(x)
          || Double.isInfinite(y)
          || (a instanceof Double && b instanceof Double)) {
        return x < y ? -1 : x > y ? 1 : 0;
      }
      return exact(a).compareTo(exact(b));
    }
    return big(a).compareTo(big(b));
  }

  private static BigDecimal exact(Object value) {
    return value instanceof Double number ? new BigDecimal(number) : new BigDecimal(big(value));
  }

  static Object arithmetic(String operator, Object a, Object b) {
    if (a instanceof Double || b instanceof Double) {
      double x = real(a);
      double y = real(b);
      return switch (operator) {
        case "+" -> x + y;
        case "-" -> x - y;
        case "*" -> x * y;
        case "/" -> x / nonZero(y);
        case "//" -> floorDivide(x, nonZero(y));
        case "%" -> modulo(x, nonZero(y));
        default -> power(x, y);
      };
    }
    if (a instanceof Long x && b instanceof Long y) {
      long result;
      switch (operator) {
        case "+" -> {
          result = x + y;
          if (((x ^ result) & (y ^ result)) >= 0) {
            return result;
          }
        }
        case "-" -> {
          result = x - y;
          if (((x ^ y) & (x ^ result)) >= 0) {
            return result;
          }
        }
        case "//", "%" -> {
          if (y != 0 && y != -1) {
            return operator.equals("%") ? Math.floorMod(x, y) : Math.floorDiv(x, y);
          }
        }
        default -> {}
      }
    }
    return exactly(operator, big(a), big(b));
  }

  private static Object exactly(String operator, BigInteger x, BigInteger y) {
    return switch (operator) {
      case "+" -> normal(x.add(y));
      case "-" -> normal(x.subtract(y));
      case "*" -> normal(x.multiply(y));
      case "**" -> power(x, y);
      default -> quotient(operator, x, y);
    };
  }

  private static Object quotient(String operator, BigInteger x, BigInteger y) {
    if (y.signum() == 0) {
      throw divisionByZero();
    }
    if (operator.equals("/")) {
      double quotient =
          x.bitLength() <= 53 && y.bitLength() <= 53
              ? x.doubleValue() / y.doubleValue()
              : new BigDecimal(x).divide(new BigDecimal(y), MathContext.DECIMAL128).doubleValue();
      if (Double.isInfinite(quotient)) {
        throw new JinjaException.WrongValue("integer division result too large for a float");
      }
      return quotient;
    }
    BigInteger[] parts = x.divideAndRemainder(y);
    boolean adjust = parts[1].signum() != 0 && parts[1].signum() != y.signum();
    if (operator.equals("%")) {
      return normal(adjust ? parts[1].add(y) : parts[1]);
    }
    return normal(adjust ? parts[0].subtract(BigInteger.ONE) : parts[0]);
  }

  private static Object power(BigInteger x, BigInteger y) {
    if (y.signum() < 0) {
      if (x.signum() == 0) {
        throw divisionByZero();
      }
      return power(x.doubleValue(), y.doubleValue());
    }
    if (x.bitLength() <= 1 && x.abs().compareTo(BigInteger.ONE) <= 0) {
      boolean negative = x.signum() < 0 && y.testBit(0);
      return y.signum() == 0 ? 1L : negative ? -1L : (long) x.abs().intValue();
    }
    long bits = y.bitLength() > 31 ? Long.MAX_VALUE : (x.bitLength() - 1L) * y.intValue();
    if (bits > MAX_BITS) {
      throw Budget.exceeded(MAX_DIGITS + " digits of an integer");
    }
    return normal(x.pow(y.intValue()));
  }

  private static double power(double x, double y) {
    if (x == 0 && y < 0) {
      throw divisionByZero();
    }
    if (x == 1 || y == 0) {
      return 1;
    }
    double result = Math.pow(x, y);
    if (Double.isInfinite(result) && !Double.isInfinite(x) && !Double.isInfinite(y)) {
      throw new JinjaException.WrongValue("result too large for a float");
    }
    if (Double.isNaN(result) && !Double.isNaN(x) && !Double.isNaN(y)) {
      throw new JinjaException.WrongValue("complex numbers are not supported");
    }
    return result;
  }

  private static double nonZero(double value) {
    if (value == 0) {
      throw divisionByZero();
    }
    return value;
  }

  private static JinjaException divisionByZero() {
    return new JinjaException.WrongValue("division by zero");
  }

  private static double modulo(double x, double y) {
    double mod = x % y;
    if (mod == 0) {
      return Math.copySign(0.0, y);
    }
    return (mod < 0) == (y < 0) ? mod : mod + y;
  }

  private static double floorDivide(double x, double y) {
    double mod = x % y;
    double div = (x - mod) / y;
    if (mod != 0 && (mod < 0) != (y < 0)) {
      div -= 1;
    }
    if (div == 0) {
      return Math.copySign(0.0, x / y);
    }
    double floor = Math.floor(div);
    return div - floor > 0.5 ? floor + 1 : floor;
  }

  /** Python's {@code round}: to the even neighbour of the exact value. */
  static Object round(Object value, int digits) {
    int places = Math.clamp(digits, -400, 400);
    if (isInteger(value)) {
      if (places >= 0) {
        return normal(big(value));
      }
      return normal(
          new BigDecimal(big(value)).setScale(places, RoundingMode.HALF_EVEN).toBigInteger());
    }
    double number = real(value);
    if (Double.isNaN(number) || Double.isInfinite(number) || number == 0) {
      return number;
    }
    double rounded = new BigDecimal(number).setScale(places, RoundingMode.HALF_EVEN).doubleValue();
    return rounded == 0 ? Math.copySign(0.0, number) : rounded;
  }
}
