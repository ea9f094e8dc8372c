package io.trimtab.delta.bottleneck;

import java.util.List;
import java.util.Set;

/**
 * One place of a model where an adapter goes.
 *
 * @param path what the adapter's parameters are named after: of the sublayer or module behind or
 *     beside which it is
 * @param from the module whose input it reads; {@code path} for adapters that read what is there
 * @param site the layer at whose site it acts
 * @param point where in the computation
 * @param in the size of what it reads
 * @param out the size of what it adds to
 * @param block the number of the first block that has it; -1 outside blocks
 * @param leftOut numbers of blocks that share the sublayer but not the adapter
 * @param baseTensors the weights that it was tuned behind or beside
 */
public record AdapterPlace(
    String path,
    String from,
    String site,
    Point point,
    long in,
    long out,
    int block,
    Set<Integer> leftOut,
    List<String> baseTensors) {
  /** Copies the collections. */
  public AdapterPlace {
    leftOut = Set.copyOf(leftOut);
    baseTensors = List.copyOf(baseTensors);
  }

  /** Where in the computation an adapter acts. */
  public enum Point {
    /** Where a sublayer's output is about to be added to its input. */
    BEFORE_ADDITION,
    /** Behind a linear layer, a sublayer with its addition and norm, a block or the embeddings. */
    OUTPUT
  }
}
