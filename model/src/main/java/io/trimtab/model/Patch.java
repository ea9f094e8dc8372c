package io.trimtab.model;

import io.trimtab.tensor.Tensor;

/**
 * A change at one site of a layer: a function of what is there, its own parameters and the {@link
 * Pass}. It keeps no state of a call, so any number of threads may use it at once. It is handed
 * only the tokens of the rows it acts on.
 */
public sealed interface Patch {

  /** Changes what a linear layer is given. */
  @FunctionalInterface
  non-sealed interface Input extends Patch {
    /** From the input [tokens, in] to another of the same shape. */
    Tensor apply(Tensor input, Pass pass);
  }

  /** Changes what a linear layer gives. */
  @FunctionalInterface
  non-sealed interface Output extends Patch {
    /** From the input [tokens, in] and the output [tokens, out] to another output. */
    Tensor apply(Tensor input, Tensor output, Pass pass);
  }

  /** Changes the rows that an embedding gives. */
  @FunctionalInterface
  non-sealed interface Rows extends Patch {
    /** From the indices I64 [tokens] and their rows [tokens, size] to other rows. */
    Tensor apply(Tensor indices, Tensor rows, Pass pass);
  }

  /** Puts another tensor in the place of a weight or bias, for this pass. */
  @FunctionalInterface
  non-sealed interface Effective extends Patch {
    /** From the stored tensor to the one to use, of the same shape. */
    Tensor apply(Tensor stored, Pass pass);
  }
}
