package io.trimtab.model;

import io.trimtab.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/** One layer of a transformer. */
public abstract class Block extends Layer {
  /** A block of the given path. */
  protected Block(String path) {
    super(path);
  }

  /**
   * Runs the block.
   *
   * @param hidden [tokens, hidden], laid out as {@code pass} says
   * @param wanted the only tokens whose result is read, or null for all
   * @return [tokens or wanted tokens, hidden]
   */
  public abstract Tensor forward(Tensor hidden, Pass pass, @Nullable Positions wanted);
}
