package io.trimtab.train;

import io.trimtab.model.Batch;
import io.trimtab.model.Model;
import io.trimtab.model.Pass;
import io.trimtab.tensor.Tensor;
import java.util.List;

/**
 * What training makes smaller: how an example becomes tokens, and what the model loses on a batch
 * of them.
 */
public interface Objective<E> {
  /** The tokens of an example. */
  Batch.Row row(E example);

  /** How many tokens of an example go through the model; those of its row where nothing is said. */
  default int tokens(E example) {
    return row(example).ids().length;
  }

  /**
   * What the mean loss is a mean over: 1 an example for classification, its predicted tokens for
   * language modelling. Micro-batches of one step are weighted by it.
   */
  default int weight(E example) {
    return 1;
  }

  /**
   * The mean loss of a batch, a scalar that gradients flow through.
   *
   * @param examples in the order of the batch's rows
   * @param batch their tokens
   * @param pass carries the delta that is trained
   */
  Tensor loss(Model model, List<E> examples, Batch batch, Pass pass);
}
