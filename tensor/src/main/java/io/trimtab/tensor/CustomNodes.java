package io.trimtab.tensor;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The nodes of the engine's graph that stand for one call of a {@link CustomFunction}.
 *
 * <p>Two of them hand a gradient on as it is: the lower one takes x₁, the upper one gives y, for
 * between them the tensor is made to hold y. What enters the upper one, dL/dy, is exchanged for
 * dL/dx₁, which the lower one expects. Every further input comes in where no rows of it are added
 * to the lower one: a node that reads nothing and writes nothing, but whose gradient is asked for
 * after that of y, and is exchanged for what was found then.
 */
final class CustomNodes {
  private final CustomFunction function;
  private final List<Boolean> wanted;
  private final List<Tensor> saved = new ArrayList<>();
  private final long[] shape;
  private final DType dtype;
  private final Device device;

  /** The gradients of the inputs but the first, from when they are found to when asked for. */
  private final @Nullable Tensor[] found;

  private CustomNodes(CustomFunction function, List<Boolean> wanted, Tensor first) {
    this.function = function;
    this.wanted = wanted;
    shape = first.shape();
    dtype = first.dtype();
    device = first.device();
    found = new Tensor[wanted.size()];
  }

  /** y, and the nodes, where a gradient is wanted. */
  static Tensor of(CustomFunction function, List<Tensor> inputs) {
    List<Boolean> wanted = inputs.stream().map(Tensor::requiresGradient).toList();
    if (!Gradients.recording() || !wanted.contains(true)) {
      return Gradients.none(() -> Scope.of(function::forward));
    }
    CustomNodes nodes = new CustomNodes(function, wanted, inputs.getFirst());
    try {
      return nodes.connected(inputs, Gradients.none(nodes::forward));
    } catch (RuntimeException e) {
      nodes.free();
      throw e;
    }
  }

  private Tensor forward() {
    try (Scope scope = Scope.open()) {
      Tensor output = function.forward();
      for (Tensor each : function.saved()) {
        saved.add(each.detach().held());
      }
      return scope.keep(output);
    }
  }

  private Tensor connected(List<Tensor> inputs, Tensor output) {
    try (Scope scope = Scope.open()) {
      Tensor lower = sameAgain(inputs.getFirst());
      for (int i = 1; i < inputs.size(); i++) {
        if (wanted.get(i)) {
          addNothing(lower, inputs.get(i), i);
        }
      }
      lower.handle().set_data(output.handle());
      Tensor upper = Call.of(() -> lower.handle().alias(), lower);
      GradientHook.add(upper.handle(), this::backward, this::free);
      return scope.keep(upper);
    }
  }

  private static Tensor sameAgain(Tensor tensor) {
    List<Long> sizes = Arrays.stream(tensor.shape()).boxed().toList();
    return Operators.call("aten::_unsafe_view", "", tensor, sizes).getFirst();
  }

  private void addNothing(Tensor lower, Tensor input, int number) {
    long[] noRows = shape.clone();
    noRows[0] = 0;
    Tensor stub = sameAgain(input);
    stub.handle().set_data(Creation.empty(dtype, noRows).to(device).handle());
    Tensor rows = Call.of(() -> stub.handle().alias(), stub);
    GradientHook.add(rows.handle(), _ -> taken(number), () -> drop(number));
    Tensor index = Creation.empty(DType.I64, 0).to(device);
    Call.run(() -> lower.handle().index_add_(0, index.handle(), rows.handle()), lower, rows);
  }

  private Tensor backward(Tensor gradient) {
    return Gradients.none(
        () -> {
          List<@Nullable Tensor> all = function.backward(gradient, saved, wanted);
          for (int i = 1; i < found.length; i++) {
            Tensor each = all.get(i);
            if (wanted.get(i) && each != null) {
              found[i] = each.detach().held();
            }
          }
          Tensor own = all.getFirst();
          return wanted.getFirst() && own != null ? own : nothing(shape);
        });
  }

  /** A gradient that nobody reads, or of zeros, in the memory of one number. */
  private Tensor nothing(long... size) {
    return Indexing.expand(Creation.zeros(dtype, device, 1), size);
  }

  private Tensor taken(int number) {
    Tensor gradient = found[number];
    if (gradient == null) {
      throw new IllegalStateException("no gradient of input " + number + " was found");
    }
    return gradient.detach(); // a handle of the hook's own: this one is freed after it
  }

  private void drop(int number) {
    Tensor gradient = found[number];
    if (gradient != null) {
      gradient.close();
      found[number] = null;
    }
  }

  /** Gives up what was saved for the backward pass. */
  private void free() {
    saved.forEach(Tensor::close);
    saved.clear();
  }
}
