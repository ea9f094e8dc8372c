package io.trimtab.tensor;

import org.jspecify.annotations.Nullable;

/**
 * A named tensor that training changes in place: the one kind of tensor that is not immutable. It
 * collects gradients, and lives until it is closed.
 */
public final class Parameter implements AutoCloseable {
  private final String name;
  private final Tensor value;

  private Parameter(String name, Tensor value) {
    this.name = name;
    this.value = value;
  }

  /** A parameter that starts as a copy of {@code start}. */
  public static Parameter of(String name, Tensor start) {
    return new Parameter(name, outliving(start, true));
  }

  /** One that collects no gradient: an optimizer's moments, a frozen projection, indices. */
  public static Parameter constant(String name, Tensor start) {
    return new Parameter(name, outliving(start, false));
  }

  /** A copy that no scope frees. */
  private static Tensor outliving(Tensor start, boolean gradient) {
    if (gradient && !start.dtype().isFloating()) {
      throw new TensorException(
          "found "
              + start
              + " as the start of a parameter, expected a floating-point type; convert it first");
    }
    try (Scope _ = Scope.open()) {
      Tensor copy = start.copy().contiguous();
      copy.handle().set_requires_grad(gradient);
      copy.handle().retainReference();
      return copy;
    }
  }

  /** What reports and files call it. */
  public String name() {
    return name;
  }

  /** The same parameter, not a copy, by another name; closing either closes both. */
  public Parameter named(String other) {
    return new Parameter(other, value);
  }

  /** Its present value, through which gradients flow. */
  public Tensor value() {
    return value;
  }

  /** The gradient collected since it was last cleared; null where there is none. */
  public @Nullable Tensor gradient() {
    org.bytedeco.pytorch.Tensor gradient = value.handle().grad();
    return gradient.defined() ? Tensor.of(gradient) : null;
  }

  /** Forgets the collected gradient. */
  public void clearGradient() {
    value.handle().mutable_grad().reset();
  }

  /** Overwrites its value; shape and type stay as they are. */
  public void assign(Tensor next) {
    if (!java.util.Arrays.equals(next.shape(), value.shape())) {
      throw new TensorException(
          "found " + next + " for parameter " + name + ", expected the shape of " + value);
    }
    Gradients.none(
        () -> {
          try (Scope _ = Scope.open()) {
            return value.handle().copy_(next.handle());
          }
        });
  }

  @Override
  public void close() {
    value.close();
  }

  @Override
  public String toString() {
    return name + " " + value;
  }
}
