package io.trimtab.delta.lora;

import io.trimtab.model.Linear;
import io.trimtab.tensor.Decompositions;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Tensor;

/**
 * PiSSA by the randomised decomposition: seconds where the exact one takes minutes (section 4 of
 * the paper; PEFT's {@code pissa_niter_N}).
 *
 * @param iterations power iterations; 4 to 16 are usual
 */
public record FastPissa(int iterations) implements LoraStart {
  @Override
  public Factors of(Linear layer, Tensor weight, int rank, double scale, Rng rng) {
    Starts.checkRank("PiSSA", layer, rank, Math.min(weight.size(0), weight.size(1)));
    // Directions of its own: the start, which is subtracted, is then the same at every attaching.
    Rng directions = Rng.seeded(layer.path().hashCode());
    Decompositions.Svd svd = Decompositions.largest(weight, rank, iterations, directions);
    return Starts.principal(svd, rank, scale, layer);
  }
}
