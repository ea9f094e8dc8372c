package io.trimtab.tensor;

import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.global.torch;

/** Element by element, with the usual broadcasting of shapes. */
public final class Arithmetic {
  private Arithmetic() {}

  /** a + b. */
  public static Tensor add(Tensor a, Tensor b) {
    return Call.of(() -> torch.add(a.handle(), b.handle()), a, b);
  }

  /** a + factor · b, in one pass. */
  public static Tensor addScaled(Tensor a, Tensor b, double factor) {
    return Call.of(() -> torch.add(a.handle(), b.handle(), new Scalar(factor)), a, b);
  }

  /** a + value. */
  public static Tensor add(Tensor a, double value) {
    return Call.of(() -> torch.add(a.handle(), new Scalar(value)), a);
  }

  /** a - b. */
  public static Tensor subtract(Tensor a, Tensor b) {
    return Call.of(() -> torch.sub(a.handle(), b.handle()), a, b);
  }

  /** a · b. */
  public static Tensor multiply(Tensor a, Tensor b) {
    return Call.of(() -> torch.mul(a.handle(), b.handle()), a, b);
  }

  /** a · value. */
  public static Tensor multiply(Tensor a, double value) {
    return Call.of(() -> torch.mul(a.handle(), new Scalar(value)), a);
  }

  /** a / b. */
  public static Tensor divide(Tensor a, Tensor b) {
    return Call.of(() -> torch.div(a.handle(), b.handle()), a, b);
  }

  /** -a. */
  public static Tensor negate(Tensor a) {
    return Call.of(() -> torch.neg(a.handle()), a);
  }

  /** |a|. */
  public static Tensor absolute(Tensor a) {
    return Call.of(() -> torch.abs(a.handle()), a);
  }

  /** a², a³, √a …: a to a power. */
  public static Tensor power(Tensor a, double exponent) {
    return Call.of(() -> torch.pow(a.handle(), new Scalar(exponent)), a);
  }

  /** √a. */
  public static Tensor squareRoot(Tensor a) {
    return Call.of(() -> torch.sqrt(a.handle()), a);
  }

  /** eᵃ. */
  public static Tensor exponential(Tensor a) {
    return Call.of(() -> torch.exp(a.handle()), a);
  }

  /** ln a. */
  public static Tensor logarithm(Tensor a) {
    return Call.of(() -> torch.log(a.handle()), a);
  }

  /** cos a, a in radians. */
  public static Tensor cosine(Tensor a) {
    return Call.of(() -> torch.cos(a.handle()), a);
  }

  /** sin a, a in radians. */
  public static Tensor sine(Tensor a) {
    return Call.of(() -> torch.sin(a.handle()), a);
  }

  /** Arc tangent, from -π/2 to π/2. */
  public static Tensor arcTangent(Tensor a) {
    return Call.of(() -> torch.atan(a.handle()), a);
  }

  /** a = b as BOOL. */
  public static Tensor equal(Tensor a, Tensor b) {
    return Call.of(() -> torch.eq(a.handle(), b.handle()), a, b);
  }

  /** Whether a is below b, as BOOL. */
  public static Tensor less(Tensor a, Tensor b) {
    return Call.of(() -> torch.lt(a.handle(), b.handle()), a, b);
  }

  /** a where {@code condition} (BOOL) holds, else b. */
  public static Tensor where(Tensor condition, Tensor a, Tensor b) {
    return Call.of(() -> torch.where(condition.handle(), a.handle(), b.handle()), condition, a, b);
  }

  /** a with {@code value} wherever {@code mask} (BOOL) holds. */
  public static Tensor fillWhere(Tensor a, Tensor mask, double value) {
    return Call.of(() -> torch.masked_fill(a.handle(), mask.handle(), new Scalar(value)), a, mask);
  }
}
