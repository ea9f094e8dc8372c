package io.trimtab.tensor;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.FunctionPreHook;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/** Gradients: backward passes, chosen inputs, none at all, and hand-written ones. */
public final class Gradients {
  private Gradients() {}

  /** Adds the gradient of a scalar loss to every {@link Parameter} it depends on. */
  public static void backward(Tensor loss) {
    loss.handle().backward();
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
    TensorVector found =
        torch.grad(
            Indexing.vector(outputs),
            Indexing.vector(inputs),
            Indexing.vector(outputGradients),
            new BoolOptional(false),
            false,
            true);
    List<Tensor> gradients = new ArrayList<>();
    for (int i = 0; i < inputs.size(); i++) {
      org.bytedeco.pytorch.Tensor gradient = found.get(i);
      gradients.add(
          Tensor.of(gradient.defined() ? gradient : torch.zeros_like(inputs.get(i).handle())));
    }
    return gradients;
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

  /** Marks a tensor computed from no parameter as one whose gradient is wanted; for checks. */
  public static Tensor variable(Tensor values) {
    Tensor leaf = values.copy();
    leaf.handle().set_requires_grad(true);
    return leaf;
  }

  /**
   * The result of {@code forward} with a hand-written gradient: for y = f(x) with any kernel,
   * {@code backward} turns dL/dy into dL/dx. Nothing that {@code forward} makes is kept for the
   * backward pass, so a frozen weight that is decompressed inside costs memory only while it is
   * used.
   *
   * @param input x, [.., in]
   * @param forward computes y, [.., out], with the same leading sizes; runs without a graph
   * @param backward from dL/dy, of y's shape, to dL/dx, of x's shape and type
   */
  public static Tensor custom(
      Tensor input, UnaryOperator<Tensor> forward, UnaryOperator<Tensor> backward) {
    Tensor output = none(() -> forward.apply(input));
    if (!input.requiresGradient()) {
      return output;
    }
    // A node of its own over x, and a zero of y's shape that hangs on it: the gradient that arrives
    // at the zero is dL/dy; it is kept, and replaces, as dL/dx, what the zero sends down.
    org.bytedeco.pytorch.Tensor own = input.handle().view_as(input.handle());
    org.bytedeco.pytorch.Tensor zero =
        own.mean(new long[] {-1}, true, new org.bytedeco.pytorch.ScalarTypeOptional())
            .mul(new Scalar(0.0))
            .expand(output.shape());
    List<org.bytedeco.pytorch.Tensor> arrived = new ArrayList<>(1);
    hook(
        zero,
        gradient -> {
          arrived.add(gradient.handle().clone());
          return gradient;
        });
    hook(own, ignored -> none(() -> backward.apply(Tensor.of(arrived.remove(0)))));
    return Arithmetic.add(output, Tensor.of(zero));
  }

  private static void hook(org.bytedeco.pytorch.Tensor at, UnaryOperator<Tensor> change) {
    Hook hook = new Hook(change);
    Scope.retainCallback(hook);
    at.grad_fn().add_pre_hook(hook);
  }

  /** Called by the engine with the gradient that enters a node. */
  private static final class Hook extends FunctionPreHook {
    private final UnaryOperator<Tensor> change;

    Hook(UnaryOperator<Tensor> change) {
      this.change = change;
    }

    @Override
    public TensorVector apply(TensorVector gradients) {
      return new TensorVector(change.apply(Tensor.of(gradients.get(0))).handle());
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
      return holders.empty() ? 0 : torch.clip_grad_norm_(holders, limit, 2.0, false);
    }
  }
}
