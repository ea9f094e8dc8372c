package io.trimtab.model;

/**
 * Where a part that all architectures have, such as the queries of attention, is in one of them.
 *
 * @param path the path of a layer
 * @param first the first of the layer's outputs that are meant
 * @param outputs how many of them; 0 for the whole layer, which most are
 * @param every where the part is made of pieces, one a head, of {@code outputs} each: how far apart
 *     these begin; else 0
 */
public record Place(String path, int first, int outputs, int every) {
  /** A whole layer. */
  public static Place of(Layer layer) {
    return new Place(layer.path(), 0, 0, 0);
  }

  /** So many outputs from {@code first} on, and as many again after each {@code every}. */
  public static Place ofPieces(Layer layer, int first, int outputs, int every) {
    return new Place(layer.path(), first, outputs, every);
  }

  /** Some outputs of a layer that computes several things at once. */
  public static Place of(Layer layer, int first, int outputs) {
    return new Place(layer.path(), first, outputs, 0);
  }
}
