package io.trimtab.delta;

import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Tensor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a method asks of training beyond gradients: a regulariser, and work after steps, such as
 * AdaLoRA's, which moves rank from where it does not matter to where it does.
 */
public interface TrainingRule {
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
