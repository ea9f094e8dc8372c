package io.trimtab.cli;

import io.trimtab.delta.Delta;
import io.trimtab.model.Block;
import io.trimtab.model.Held;
import io.trimtab.model.Layer;
import io.trimtab.model.Linear;
import io.trimtab.model.Model;
import io.trimtab.model.Stack;

/**
 * What training will need, in bytes.
 *
 * @param weights the frozen model
 * @param optimizer the delta's values, gradients and AdamW's two moments
 * @param activations what the forward pass keeps for the backward pass
 */
record MemoryEstimate(long weights, long optimizer, long activations) {
  /**
   * For batches of so many rows of so many tokens. A block keeps, for every token, the inputs of
   * its two norms, the queries, keys, values and mixed values, and the input of its activation:
   * about what its linear layers give.
   */
  static MemoryEstimate of(Model model, Delta delta, int rows, int length) {
    long weights = model.held().values().stream().mapToLong(Held::bytes).sum();
    long perToken = 0;
    for (Stack stack : model.stacks()) {
      for (Block block : stack.blocks()) {
        perToken +=
            block
                .walk()
                .filter(Linear.class::isInstance)
                .map(Layer.class::cast)
                .mapToLong(layer -> ((Linear) layer).weight().out())
                .sum();
        perToken += 2L * stack.embeddings().words().size();
      }
    }
    long activations = perToken * rows * length * model.dtype().bytes();
    return new MemoryEstimate(weights, 16 * delta.count(), activations);
  }

  long total() {
    return weights + optimizer + activations;
  }
}
