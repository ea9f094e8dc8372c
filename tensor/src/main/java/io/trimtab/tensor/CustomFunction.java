package io.trimtab.tensor;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A function of several tensors, y = f(x₁, x₂, ..), whose gradient is written by hand: one object a
 * call, handed to {@link Gradients#custom(CustomFunction, List)}.
 */
public interface CustomFunction {
  /** y, of any shape, in memory of its own; runs without a graph. */
  Tensor forward();

  /**
   * The tensors that {@link #backward} reads: they live until it has run. Called once, after {@link
   * #forward}, and only where a gradient is wanted.
   */
  List<Tensor> saved();

  /**
   * From dL/dy to the gradients of the inputs; runs without a graph.
   *
   * @param gradient dL/dy, of y's shape
   * @param saved what {@link #saved} gave, cut off from its graph
   * @param wanted for each input whether its gradient is
   * @return for each input dL/dx, of its shape and type; null for one that is not wanted
   */
  List<@Nullable Tensor> backward(Tensor gradient, List<Tensor> saved, List<Boolean> wanted);
}
