package io.trimtab.model;

/**
 * A place where a {@link Patch} can act: a layer's path, or for {@link Patch.Effective} the name of
 * a stored tensor, and what kind of patch fits.
 *
 * @param path the name the checkpoint gives the layer or tensor
 * @param kind the patch's interface
 */
public record Site<P extends Patch>(String path, Class<P> kind) {
  /** The input of a linear layer. */
  public static Site<Patch.Input> input(String layer) {
    return new Site<>(layer, Patch.Input.class);
  }

  /** The output of a linear layer, of the embeddings, a sublayer or a block. */
  public static Site<Patch.Output> output(String layer) {
    return new Site<>(layer, Patch.Output.class);
  }

  /** What a sublayer gives before it is added to its input. */
  public static Site<Patch.Residual> residual(String sublayer) {
    return new Site<>(sublayer, Patch.Residual.class);
  }

  /** The keys and values of a block's attention. */
  public static Site<Patch.KeysAndValues> keysAndValues(String sublayer) {
    return new Site<>(sublayer, Patch.KeysAndValues.class);
  }

  /** Among the words' vectors, or among the embeddings' results. */
  public static Site<Patch.Inserted> inserted(String layer) {
    return new Site<>(layer, Patch.Inserted.class);
  }

  /** The rows of an embedding. */
  public static Site<Patch.Rows> rows(String layer) {
    return new Site<>(layer, Patch.Rows.class);
  }

  /** A weight or bias, by its tensor's name. */
  public static Site<Patch.Effective> tensor(String name) {
    return new Site<>(name, Patch.Effective.class);
  }
}
