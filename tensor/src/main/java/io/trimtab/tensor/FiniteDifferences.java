package io.trimtab.tensor;

import java.util.List;
import java.util.function.Function;

/**
 * Checks gradients against central differences, (f(x + h) - f(x - h)) / 2h, in double precision:
 * the judge of every hand-written gradient.
 */
public final class FiniteDifferences {
  private static final double STEP = 1e-5;

  private FiniteDifferences() {}

  /**
   * The largest difference between the gradient and central differences, relative to the largest
   * gradient or 1, whichever is larger.
   *
   * @param function from the inputs to a scalar F64 tensor; must not change them
   * @param inputs F64 tensors; every element is moved in turn, so keep them small
   */
  public static double largestError(Function<List<Tensor>, Tensor> function, List<Tensor> inputs) {
    try (Scope _ = Scope.open()) {
      List<Tensor> variables = inputs.stream().map(Gradients::variable).toList();
      Tensor value = function.apply(variables);
      List<Tensor> gradients =
          Gradients.of(
              List.of(value),
              List.of(Creation.full(1, DType.F64, value.device(), value.shape())),
              variables);
      double scale = 1;
      double worst = 0;
      for (int i = 0; i < inputs.size(); i++) {
        double[] gradient = gradients.get(i).toDoubles();
        double[] at = inputs.get(i).toDoubles();
        for (int j = 0; j < at.length; j++) {
          double slope =
              (moved(function, inputs, i, at, j, STEP) - moved(function, inputs, i, at, j, -STEP))
                  / (2 * STEP);
          worst = Math.max(worst, Math.abs(slope - gradient[j]));
          scale = Math.max(scale, Math.abs(gradient[j]));
        }
      }
      return worst / scale;
    }
  }

  private static double moved(
      Function<List<Tensor>, Tensor> function,
      List<Tensor> inputs,
      int input,
      double[] at,
      int element,
      double by) {
    try (Scope _ = Scope.open()) {
      double[] values = at.clone();
      values[element] += by;
      List<Tensor> changed = new java.util.ArrayList<>(inputs);
      changed.set(input, Creation.doubles(values, inputs.get(input).shape()));
      return function.apply(List.copyOf(changed)).item();
    }
  }
}
