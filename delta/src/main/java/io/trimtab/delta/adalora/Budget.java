package io.trimtab.delta.adalora;

import io.trimtab.delta.DeltaException;

/**
 * How many ranks all layers may have together at each step: the first budget for {@code warmup}
 * steps, then a cubic decay, then the target for {@code finish} steps (equation 12 of the paper).
 *
 * @param warmup steps at the first budget, PEFT's tinit
 * @param finish steps at the target at the end, PEFT's tfinal
 * @param interval steps between two prunings, PEFT's deltaT
 * @param steps all steps of the training, PEFT's total_step; 0 for those of whatever training runs
 */
public record Budget(long warmup, long finish, long interval, long steps) {
  /** Refuses what leaves no step for pruning. */
  public Budget {
    if (warmup < 0 || finish < 0 || interval < 1 || steps < 0) {
      throw new DeltaException(
          "found AdaLoRA's schedule warmup="
              + warmup
              + ", finish="
              + finish
              + ", interval="
              + interval
              + ", steps="
              + steps
              + ", expected none negative and an interval of at least 1");
    }
    if (steps > 0 && warmup >= steps - finish) {
      throw new DeltaException(
          "found AdaLoRA's schedule with warmup="
              + warmup
              + " and finish="
              + finish
              + " of "
              + steps
              + " steps, expected steps left to prune in; lower warmup or finish");
    }
  }

  /** The same for a training of so many steps, where it does not say itself. */
  Budget over(long all) {
    return steps > 0 ? this : new Budget(warmup, finish, interval, all);
  }

  /** The step after which ranks stay as they are. */
  long lastPruning() {
    return steps - finish;
  }

  /** The ranks allowed after a step, counted from 1. */
  long ranks(long step, long first, long target) {
    if (step <= warmup) {
      return first;
    }
    if (step > lastPruning()) {
      return target;
    }
    double left = 1 - (double) (step - warmup) / (lastPruning() - warmup);
    return (long) ((first - target) * Math.pow(left, 3) + target);
  }

  /** Whether ranks are pruned after a step. */
  boolean prunes(long step) {
    return step == lastPruning() || (step > warmup && step < lastPruning() && step % interval == 0);
  }
}
