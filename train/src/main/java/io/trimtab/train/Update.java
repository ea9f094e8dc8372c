package io.trimtab.train;

import io.trimtab.tensor.FusedAdamW;
import io.trimtab.tensor.Gradients;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.util.List;
import java.util.function.Supplier;

/**
 * One step of training: gradients of the losses of its micro-batches added up, clipped together,
 * and applied by AdamW.
 */
public final class Update {
  private final List<Parameter> parameters;
  private final FusedAdamW adam;
  private final double decay;
  private final double clip;

  /**
   * What a step did.
   *
   * @param loss the sum of the losses it was given
   * @param gradientNorm the joint norm of the gradients before clipping; NaN where nothing is
   *     clipped
   */
  public record Outcome(double loss, double gradientNorm) {}

  /**
   * Updates of the given parameters.
   *
   * @param decay AdamW's decoupled weight decay
   * @param clip the largest joint norm of the gradients; 0 for no limit
   */
  public Update(List<Parameter> parameters, FusedAdamW adam, double decay, double clip) {
    this.parameters = List.copyOf(parameters);
    this.adam = adam;
    this.decay = decay;
    this.clip = clip;
  }

  /**
   * Makes one step.
   *
   * @param rate the learning rate
   * @param losses compute a scalar for each micro-batch, already scaled by its share in the step
   * @throws TrainingException where their sum is not finite; the parameters stay as they are
   */
  public Outcome step(double rate, List<Supplier<Tensor>> losses) {
    parameters.forEach(Parameter::clearGradient);
    double sum = 0;
    for (Supplier<Tensor> micro : losses) {
      try (Scope _ = Scope.open()) {
        Tensor loss = micro.get();
        Gradients.backward(loss);
        sum += loss.item();
      }
    }
    if (!Double.isFinite(sum)) {
      throw new TrainingException(
          "found a loss of "
              + sum
              + " at step "
              + (adam.steps() + 1)
              + ", expected a finite number; lower the learning rate");
    }
    double norm = clip > 0 ? Gradients.clip(parameters, clip) : Double.NaN;
    adam.step(rate, decay);
    return new Outcome(sum, norm);
  }
}
