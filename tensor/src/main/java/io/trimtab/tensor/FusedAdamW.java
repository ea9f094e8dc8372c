package io.trimtab.tensor;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.ToDoubleFunction;

/**
 * The engine's fused AdamW kernel over a list of parameters (Loshchilov and Hutter, "Decoupled
 * Weight Decay Regularization", algorithm 2): one call updates values and both moments in place.
 */
public final class FusedAdamW implements AutoCloseable {
  private final List<Parameter> parameters;
  private final List<Parameter> means = new ArrayList<>();
  private final List<Parameter> squares = new ArrayList<>();
  private final double beta1;
  private final double beta2;
  private final double epsilon;
  private final ToDoubleFunction<Parameter> rateFactor;
  private long steps;

  /**
   * Moments of zero for every parameter.
   *
   * @param beta1 how much of the running mean of gradients is kept, usually 0.9
   * @param beta2 how much of the running mean of squared gradients is kept, usually 0.999
   * @param epsilon added to the root of the second, usually 1e-8
   */
  public FusedAdamW(List<Parameter> parameters, double beta1, double beta2, double epsilon) {
    this(parameters, beta1, beta2, epsilon, parameter -> 1);
  }

  /**
   * The same with learning rates of their own.
   *
   * @param rateFactor what a parameter's learning rate is multiplied by
   */
  public FusedAdamW(
      List<Parameter> parameters,
      double beta1,
      double beta2,
      double epsilon,
      ToDoubleFunction<Parameter> rateFactor) {
    this.rateFactor = rateFactor;
    this.parameters = List.copyOf(parameters);
    this.beta1 = beta1;
    this.beta2 = beta2;
    this.epsilon = epsilon;
    for (Parameter parameter : parameters) {
      means.add(zerosLike(parameter, ".mean"));
      squares.add(zerosLike(parameter, ".square"));
    }
  }

  private static Parameter zerosLike(Parameter parameter, String suffix) {
    Tensor value = parameter.value();
    try (Scope _ = Scope.open()) {
      return Parameter.constant(
          parameter.name() + suffix, Creation.zeros(value.dtype(), value.device(), value.shape()));
    }
  }

  /**
   * One update from the gradients collected so far; parameters without one are left alone, though
   * the step counts for the correction of their moments too.
   *
   * @param rate the learning rate of this step
   * @param decay decoupled weight decay: values shrink by rate · decay
   */
  public void step(double rate, double decay) {
    steps++;
    Map<Double, List<Integer>> groups = new LinkedHashMap<>();
    for (int i = 0; i < parameters.size(); i++) {
      if (parameters.get(i).gradient() != null) {
        double factor = rateFactor.applyAsDouble(parameters.get(i));
        groups.computeIfAbsent(factor, key -> new ArrayList<>()).add(i);
      }
    }
    groups.forEach((factor, members) -> update(members, rate * factor, decay));
  }

  private void update(List<Integer> members, double rate, double decay) {
    try (Scope _ = Scope.open()) {
      List<Tensor> values = new ArrayList<>();
      List<Tensor> gradients = new ArrayList<>();
      List<Tensor> first = new ArrayList<>();
      List<Tensor> second = new ArrayList<>();
      for (int i : members) {
        values.add(parameters.get(i).value());
        gradients.add(Objects.requireNonNull(parameters.get(i).gradient()));
        first.add(means.get(i).value());
        second.add(squares.get(i).value());
      }
      // The kernel only reads the count, so that one tensor serves all parameters.
      Tensor count = Creation.scalar((double) steps, DType.F32, values.get(0).device());
      List<Tensor> counts = Collections.nCopies(values.size(), count);
      Gradients.none(
          () ->
              Operators.call(
                  "aten::_fused_adamw_",
                  "",
                  values,
                  gradients,
                  first,
                  second,
                  List.of(),
                  counts,
                  rate,
                  beta1,
                  beta2,
                  decay,
                  epsilon,
                  false,
                  false,
                  null,
                  null));
    }
  }

  /** How many updates were made. */
  public long steps() {
    return steps;
  }

  /** The running means of gradients and of their squares, named after their parameters. */
  public List<Parameter> moments() {
    List<Parameter> all = new ArrayList<>(means);
    all.addAll(squares);
    return List.copyOf(all);
  }

  /**
   * Goes on from moments restored by {@link Parameter#assign} as if {@code count} steps were made.
   */
  public void resumeAt(long count) {
    steps = count;
  }

  @Override
  public void close() {
    moments().forEach(Parameter::close);
  }
}
