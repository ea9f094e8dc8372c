package io.trimtab.delta;

import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Tensor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a method asks of training beyond gradients: a regulariser, and work after steps, such as
 * AdaLoRA's, which moves rank from where it does not matter to where it does.
 */
public interface TrainingRule {
  /** What several rules ask for together. */
  static TrainingRule of(List<TrainingRule> rules) {
    return new TrainingRule() {
      @Override
      public @Nullable Tensor penalty() {
        Tensor sum = null;
        for (TrainingRule rule : rules) {
          Tensor one = rule.penalty();
          sum = sum == null ? one : one == null ? sum : Arithmetic.add(sum, one);
        }
        return sum;
      }

      @Override
      public void afterStep(long step, long steps) {
        rules.forEach(rule -> rule.afterStep(step, steps));
      }

      @Override
      public List<Parameter> state() {
        return rules.stream().flatMap(rule -> rule.state().stream()).toList();
      }
    };
  }

  /** Nothing. */
  TrainingRule NONE = new TrainingRule() {};

  /** A scalar that is added to every step's loss, or null for none. */
  default @Nullable Tensor penalty() {
    return null;
  }

  /**
   * Called after the optimizer's step, while the gradients are still there.
   *
   * @param step steps done, this one included
   * @param steps all steps of this training
   */
  default void afterStep(long step, long steps) {}

  /** What it has to remember to go on after a restart; part of a run's checkpoints. */
  default List<Parameter> state() {
    return List.of();
  }
}
