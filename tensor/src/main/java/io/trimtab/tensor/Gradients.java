package io.trimtab.tensor;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.GradMode;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/** Gradients: backward passes, chosen inputs, none at all, and hand-written ones. */
public final class Gradients {
  private Gradients() {}

  /** Adds the gradient of a scalar loss to every {@link Parameter} it depends on. */
  public static void backward(Tensor loss) {
    GradientHook.during(
        () ->
            Call.run(
                () -> {
                  try (Scope _ = Scope.open()) {
                    loss.handle().backward();
                  }
                },
                loss));
  }

  /**
   * The gradient of Σ outputs · outputGradients with respect to chosen inputs; parameters'
   * accumulated gradients are left alone.
   *
   * @param outputs tensors computed from the inputs
   * @param outputGradients of the outputs' shapes
   * @param inputs tensors that require a gradient
   * @return one tensor an input; zeros for an input that the outputs do not depend on
   */
  public static List<Tensor> of(
      List<Tensor> outputs, List<Tensor> outputGradients, List<Tensor> inputs) {
    List<Tensor> gradients = new ArrayList<>();
    GradientHook.during(
        () ->
            Call.run(
                () -> gradients(outputs, outputGradients, inputs, gradients),
                outputs.toArray(Tensor[]::new)));
    return gradients;
  }

  private static void gradients(
      List<Tensor> outputs, List<Tensor> outputGradients, List<Tensor> inputs, List<Tensor> into) {
    try (Scope scope = Scope.open()) {
      TensorVector found =
          torch.grad(
              Indexing.vector(outputs),
              Indexing.vector(inputs),
              Indexing.vector(outputGradients),
              new BoolOptional(false),
              false,
              true);
      for (int i = 0; i < inputs.size(); i++) {
        org.bytedeco.pytorch.Tensor gradient = found.get(i);
        into.add(
            Tensor.of(gradient.defined() ? gradient : torch.zeros_like(inputs.get(i).handle())));
      }
      scope.keepAll(into);
    }
  }

  /** Runs {@code work} without building a graph for gradients. */
  public static <T extends @Nullable Object> T none(Supplier<T> work) {
    Native.touch();
    NoGradGuard guard = new NoGradGuard();
    try {
      return work.get();
    } finally {
      guard.close();
    }
  }

  /** Whether this thread builds a graph for gradients: not inside {@link #none}. */
  public static boolean recording() {
    Native.touch();
    return GradMode.is_enabled();
  }

  /** Marks a tensor computed from no parameter as one whose gradient is wanted; for checks. */
  public static Tensor variable(Tensor values) {
    Tensor leaf = values.copy();
    Call.run(() -> leaf.handle().set_requires_grad(true), leaf);
    return leaf;
  }

  /**
   * The result of {@code forward} with a hand-written gradient: for y = f(x) with any kernel,
   * {@code backward} turns dL/dy into dL/dx. Nothing that {@code forward} makes is kept for the
   * backward pass, so a frozen weight that is decompressed inside costs memory only while it is
   * used.
   *
   * <p>It costs no pass over x or y. The result must not be written to in place.
   *
   * @param input x, of any shape
   * @param forward computes y, of any shape, in memory of its own; runs without a graph
   * @param backward from dL/dy, of y's shape, to dL/dx, of x's shape and type
   */
  public static Tensor custom(
      Tensor input, UnaryOperator<Tensor> forward, UnaryOperator<Tensor> backward) {
    return custom(new OfOne(input, forward, backward), List.of(input));
  }

  /**
   * The result of a function of several tensors whose gradient is written by hand; like {@link
   * #custom(Tensor, UnaryOperator, UnaryOperator)}, but that chosen tensors are kept for the
   * backward pass, of which there can be one.
   *
   * @param inputs x₁, x₂, .., of which gradients are asked for; the first has a dimension at least
   */
  public static Tensor custom(CustomFunction function, List<Tensor> inputs) {
    return CustomNodes.of(function, inputs);
  }

  /** One that keeps nothing. */
  private record OfOne(Tensor input, UnaryOperator<Tensor> y, UnaryOperator<Tensor> derivative)
      implements CustomFunction {
    @Override
    public Tensor forward() {
      return y.apply(input);
    }

    @Override
    public List<Tensor> saved() {
      return List.of();
    }

    @Override
    public List<@Nullable Tensor> backward(
        Tensor gradient, List<Tensor> saved, List<Boolean> wanted) {
      return List.of(derivative.apply(gradient));
    }
  }

  /**
   * Scales the parameters' gradients down together so that their joint norm is at most {@code
   * limit}.
   *
   * @return the joint norm before scaling
   */
  public static double clip(List<Parameter> parameters, double limit) {
    try (Scope _ = Scope.open()) {
      TensorVector holders = new TensorVector();
      for (Parameter parameter : parameters) {
        if (parameter.gradient() != null) {
          holders.push_back(parameter.value().handle());
        }
      }
      return holders.empty()
          ? 0
          : Call.get(() -> torch.clip_grad_norm_(holders, limit, 2.0, false));
    }
  }
}
