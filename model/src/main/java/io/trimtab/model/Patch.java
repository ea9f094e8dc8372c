package io.trimtab.model;

import io.trimtab.tensor.ChangedProduct;
import io.trimtab.tensor.Tensor;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A change at one site of a layer: a function of what is there, its own parameters and the {@link
 * Pass}. It keeps no state of a call, so any number of threads may use it at once. It is handed
 * only the tokens of the rows it acts on.
 */
public sealed interface Patch {
  /**
   * Whether what it does to a token depends on the other tokens of the row at the same site, as a
   * gate over the row's mean does; then the last block computes all tokens, read or not.
   */
  default boolean readsWholeRows() {
    return false;
  }

  /**
   * Whether what it does to a token changes as its row grows, as that of a gate does or of one that
   * acts on a row's last tokens; then keys and values of earlier tokens cannot be kept.
   */
  default boolean changesAsRowsGrow() {
    return readsWholeRows();
  }

  /** Changes what a linear layer is given. */
  @FunctionalInterface
  non-sealed interface Input extends Patch {
    /** From the input [tokens, in] to another of the same shape. */
    Tensor apply(Tensor input, Pass pass);
  }

  /**
   * Changes what a layer gives: a linear layer, the embeddings, a sublayer after its addition and
   * norm, or a whole block.
   */
  @FunctionalInterface
  non-sealed interface Output extends Patch {
    /** From the input [tokens, in] and the output [tokens, out] to another output. */
    Tensor apply(Tensor input, Tensor output, Pass pass);
  }

  /**
   * Adds a low-rank product of the input, s B A x, to what a linear layer gives. Where it says what
   * B and A are, those of a whole batch under many deltas are added at once; the result is that of
   * {@link #apply} up to rounding.
   */
  interface LowRank extends Output {
    /**
     * What is added.
     *
     * @param down A, F32 [rank, in]
     * @param up B, F32 [out, rank]
     * @param scale s
     */
    record Product(Tensor down, Tensor up, double scale) {}

    /** What is added outside training; null where it is more than such a product. */
    @Nullable Product product();
  }

  /**
   * Is, or adds to what a linear layer gives, the product of the input and a change of the weight,
   * ΔW x. Where gradients are wanted and it says how it changes the weight, one product with W + ΔW
   * may do for both; the result is the same up to rounding. Something that patches of outputs and
   * of weights may be besides.
   */
  interface Changing {
    /** How it changes the weight in this pass; null where it does more than that, or less. */
    ChangedProduct.@Nullable Change change(Pass pass);
  }

  /** Changes what attention or a feed-forward network gives before it is added to its input. */
  @FunctionalInterface
  non-sealed interface Residual extends Patch {
    /**
     * What a sublayer computed.
     *
     * @param input what it was given [tokens, hidden]; normed already where the norm comes first
     * @param output what it gives [tokens, hidden]
     * @param residual what the output is added to [tokens, hidden]
     * @param norm the norm after the addition; null where norms come first
     */
    record Sublayer(
        Tensor input, Tensor output, Tensor residual, @Nullable UnaryOperator<Tensor> norm) {}

    /** From what a sublayer computed to another output [tokens, hidden]. */
    Tensor apply(Sublayer sublayer, Pass pass);
  }

  /** Puts keys and values before those of every row: prefix tuning. */
  @FunctionalInterface
  non-sealed interface KeysAndValues extends Patch {
    /**
     * Keys and values of {@code n} tokens that are not there.
     *
     * @param keys [rows or 1, n, key heads · size]; 1 for the same in all rows
     * @param values of the same shape
     */
    record Prefix(Tensor keys, Tensor values) {}

    /** The prefix of an attention whose own keys and values are made of {@code hidden}. */
    Prefix apply(Tensor hidden, Pass pass);

    /**
     * By how many positions the tokens stand later for it where positions are rotated: as many as
     * the prefix has keys where it is meant to be earlier tokens, else 0.
     */
    default int shift() {
      return 0;
    }
  }

  /** Puts vectors into every row, as if there were more tokens: soft prompts. */
  non-sealed interface Inserted extends Patch {
    /** How many vectors. */
    int count();

    /** The token before which they go, counted in each row from 0. */
    default int before() {
      return 0;
    }

    /** The vectors [count, size]. */
    Tensor vectors(Pass pass);
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
