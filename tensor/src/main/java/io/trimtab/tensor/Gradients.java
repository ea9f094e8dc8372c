package io.trimtab.tensor;

import java.util.ArrayList;
import java.util.Arrays;
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
  static boolean recording() {
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
    Tensor output = none(() -> Scope.of(() -> forward.apply(input)));
    if (!input.requiresGradient()) {
      return output;
    }
    // Two nodes that hand a gradient on as it is: the lower one takes x, the upper one gives y, for
    // between them the tensor is made to hold y. What enters the upper one, dL/dy, is exchanged for
    // dL/dx, which the lower one expects.
    try (Scope scope = Scope.open()) {
      Tensor lower = Operators.call("aten::_unsafe_view", "", input, sizes(input)).getFirst();
      lower.handle().set_data(output.handle());
      Tensor upper = Call.of(() -> lower.handle().alias(), lower);
      if (upper.requiresGradient()) { // not where the caller builds no graph
        GradientHook.add(upper.handle(), gradient -> none(() -> backward.apply(gradient)));
      }
      return scope.keep(upper);
    }
  }

  private static List<Long> sizes(Tensor tensor) {
    return Arrays.stream(tensor.shape()).boxed().toList();
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
