package io.trimtab.tensor;

import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.global.torch;

/** Element by element, with the usual broadcasting of shapes. */
public final class Arithmetic {
  private Arithmetic() {}

  /** a + b. */
  public static Tensor add(Tensor a, Tensor b) {
    return Tensor.of(torch.add(a.handle(), b.handle()));
  }

  /** a + factor · b, in one pass. */
  public static Tensor addScaled(Tensor a, Tensor b, double factor) {
    return Tensor.of(torch.add(a.handle(), b.handle(), new Scalar(factor)));
  }

  /** a + value. */
  public static Tensor add(Tensor a, double value) {
    return Tensor.of(torch.add(a.handle(), new Scalar(value)));
  }

  /** a - b. */
  public static Tensor subtract(Tensor a, Tensor b) {
    return Tensor.of(torch.sub(a.handle(), b.handle()));
  }

  /** a · b. */
  public static Tensor multiply(Tensor a, Tensor b) {
    return Tensor.of(torch.mul(a.handle(), b.handle()));
  }

  /** a · value. */
  public static Tensor multiply(Tensor a, double value) {
    return Tensor.of(torch.mul(a.handle(), new Scalar(value)));
  }

  /** a / b. */
  public static Tensor divide(Tensor a, Tensor b) {
    return Tensor.of(torch.div(a.handle(), b.handle()));
  }

  /** -a. */
  public static Tensor negate(Tensor a) {
    return Tensor.of(torch.neg(a.handle()));
  }

  /** |a|. */
  public static Tensor absolute(Tensor a) {
    return Tensor.of(torch.abs(a.handle()));
  }

  /** a², a³, √a …: a to a power. */
  public static Tensor power(Tensor a, double exponent) {
    return Tensor.of(torch.pow(a.handle(), new Scalar(exponent)));
  }

  /** √a. */
  public static Tensor squareRoot(Tensor a) {
    return Tensor.of(torch.sqrt(a.handle()));
  }

  /** eᵃ. */
  public static Tensor exponential(Tensor a) {
    return Tensor.of(torch.exp(a.handle()));
  }

  /** ln a. */
  public static Tensor logarithm(Tensor a) {
    return Tensor.of(torch.log(a.handle()));
  }

  /** cos a, a in radians. */
  public static Tensor cosine(Tensor a) {
    return Tensor.of(torch.cos(a.handle()));
  }

  /** sin a, a in radians. */
  public static Tensor sine(Tensor a) {
    return Tensor.of(torch.sin(a.handle()));
  }

  /** a = b as BOOL. */
  public static Tensor equal(Tensor a, Tensor b) {
    return Tensor.of(torch.eq(a.handle(), b.handle()));
  }

  /** Whether a is below b, as BOOL. */
  public static Tensor less(Tensor a, Tensor b) {
    return Tensor.of(torch.lt(a.handle(), b.handle()));
  }

  /** a where {@code condition} (BOOL) holds, else b. */
  public static Tensor where(Tensor condition, Tensor a, Tensor b) {
    return Tensor.of(torch.where(condition.handle(), a.handle(), b.handle()));
  }

  /** a with {@code value} wherever {@code mask} (BOOL) holds. */
  public static Tensor fillWhere(Tensor a, Tensor mask, double value) {
    return Tensor.of(torch.masked_fill(a.handle(), mask.handle(), new Scalar(value)));
  }
}
