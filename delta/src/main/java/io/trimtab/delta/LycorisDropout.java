package io.trimtab.delta;

import io.trimtab.model.Pass;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Reduction;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Tensor;
import java.util.Optional;

/**
 * What LoHa and LoKr leave out in training, as LyCORIS and PEFT have it.
 *
 * @param outputs the probability that a row of ΔW, which is an output of the layer, is left out of
 *     a pass: {@code rank_dropout}
 * @param scaled whether the outputs left are scaled up so that their mean stays
 * @param module the probability that a layer's whole change is left out of a pass: {@code
 *     module_dropout}
 */
public record LycorisDropout(double outputs, boolean scaled, double module) {
  /** Nothing is left out. */
  public static final LycorisDropout NONE = new LycorisDropout(0, false, 0);

  /** Checks ranges. */
  public LycorisDropout {
    PeftFields.checkDropout("rank dropout", outputs);
    PeftFields.checkDropout("module dropout", module);
  }

  /** Whether a pass leaves anything out. */
  public boolean drops(Pass pass) {
    return pass.training().isPresent() && (outputs > 0 || module > 0);
  }

  /** ΔW x [tokens, out] with what this pass leaves out at zero. */
  public Tensor apply(Tensor change, Pass pass) {
    Optional<Rng> training = pass.training();
    if (!drops(pass)) {
      return change;
    }
    Tensor left = change;
    if (outputs > 0) {
      Tensor kept =
          training
              .get()
              .bernoulli(1 - outputs, DType.F32, change.device(), change.size(change.rank() - 1));
      if (scaled) {
        // Where nothing is left there is nothing to scale: 0 / ε stays 0.
        Tensor mean = Arithmetic.add(Reduction.mean(kept), Float.MIN_NORMAL);
        kept = Arithmetic.divide(kept, mean);
      }
      left = Arithmetic.multiply(left, kept.to(change.dtype()));
    }
    if (module > 0) {
      Tensor kept = training.get().bernoulli(1 - module, DType.F32, change.device(), 1);
      left = Arithmetic.multiply(left, Indexing.at(kept, 0, 0).to(change.dtype()));
    }
    return left;
  }
}
