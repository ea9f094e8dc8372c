package io.trimtab.tensor;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A hand-written gradient in the engine's graph. The binding can make no node of its own, but it
 * can exchange the gradient that enters one: so nodes that do nothing are put there, and between
 * them the tensors are made to hold other values than those that the nodes were made for.
 *
 * <p>With one input, two nodes hand a gradient on as it is: the lower one takes x, the upper one
 * gives y. What enters the upper one, dL/dy, is exchanged for dL/dx, which the lower one expects.
 *
 * <p>With several, each has a lower node, and a sum of single numbers joins them to the upper one.
 * Nothing at all is sent through that: all gradients are computed where dL/dy enters, and each is
 * put in place where its lower node is reached.
 */
final class CustomNode {
  private final List<Tensor> kept = new ArrayList<>();
  private final @Nullable Tensor[] gradients;

  private CustomNode(int inputs) {
    gradients = new Tensor[inputs];
  }

  /** The computed output as a tensor whose gradient goes to the inputs; in the innermost scope. */
  static Tensor over(
      List<Tensor> inputs, Gradients.Computed computed, Gradients.Backward backward) {
    CustomNode node = new CustomNode(inputs.size());
    computed.kept().forEach(tensor -> node.kept.add(held(tensor)));
    List<Tensor> lower = new ArrayList<>();
    List<Integer> which = new ArrayList<>();
    for (int i = 0; i < inputs.size(); i++) {
      if (inputs.get(i).requiresGradient()) {
        lower.add(passing(inputs.get(i)));
        which.add(i);
      }
    }
    boolean alone = lower.size() == 1;
    Tensor joint = alone ? lower.getFirst() : node.join(lower, which);
    joint.handle().set_data(computed.output().handle());
    Tensor upper = Call.of(() -> joint.handle().alias(), joint);
    GradientHook.add(
        upper.handle(),
        gradient -> {
          node.differentiate(Tensor.of(gradient), backward, which);
          return alone ? node.take(which.getFirst()) : new org.bytedeco.pytorch.Tensor(); // undefined
        },
        node::forget);
    return upper;
  }

  private static Tensor passing(Tensor input) {
    List<Long> sizes = Arrays.stream(input.shape()).boxed().toList();
    return Operators.call("aten::_unsafe_view", "", input, sizes).getFirst();
  }

  private Tensor join(List<Tensor> lower, List<Integer> which) {
    Tensor none = Creation.scalar(0, DType.F32, lower.getFirst().device());
    for (int i = 0; i < lower.size(); i++) {
      Tensor at = lower.get(i);
      int input = which.get(i);
      at.handle().set_data(none.handle());
      GradientHook.add(at.handle(), _ -> take(input), () -> forget(input));
    }
    Tensor sum = lower.getFirst();
    for (Tensor next : lower.subList(1, lower.size())) {
      sum = Arithmetic.add(sum, next);
    }
    return sum;
  }

  private void differentiate(
      Tensor gradient, Gradients.Backward backward, List<Integer> which) {
    try {
      List<Tensor> all = Gradients.none(() -> backward.of(gradient, kept));
      which.forEach(i -> gradients[i] = held(all.get(i))); // it may be one of those kept
    } finally {
      forget();
    }
  }

  private org.bytedeco.pytorch.Tensor take(int input) {
    Tensor gradient = gradients[input];
    if (gradient == null) {
      throw new TensorException(
          "found no gradient where one of several inputs expects its own; run one backward pass");
    }
    org.bytedeco.pytorch.Tensor handle = new org.bytedeco.pytorch.Tensor(gradient.handle());
    forget(input);
    return handle;
  }

  private void forget() {
    kept.forEach(Tensor::close);
    kept.clear();
  }

  private void forget(int input) {
    Tensor gradient = gradients[input];
    if (gradient != null) {
      gradient.close();
      gradients[input] = null;
    }
  }

  /** The same elements by a handle that no scope frees. */
  private static Tensor held(Tensor tensor) {
    Tensor own = tensor.detach();
    own.handle().retainReference();
    return own;
  }
}
