package io.trimtab.model;

/**
 * Where a part that all architectures have, such as the queries of attention, is in one of them.
 *
 * @param path the path of a layer
 * @param first the first of the layer's outputs that are meant
 * @param outputs how many of them; 0 for the whole layer, which most are
 */
public record Place(String path, int first, int outputs) {
  /** A whole layer. */
  public static Place of(Layer layer) {
    return new Place(layer.path(), 0, 0);
  }

  /** Some outputs of a layer that computes several things at once. */
  public static Place of(Layer layer, int first, int outputs) {
    return new Place(layer.path(), first, outputs);
  }
}
