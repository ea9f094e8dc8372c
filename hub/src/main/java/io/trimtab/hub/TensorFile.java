package io.trimtab.hub;

import io.trimtab.hub.blocks.PackedTensor;
import io.trimtab.hub.blocks.QuantizedTensor;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedSet;

/**
 * Named tensors in one or several files, read by memory mapping: opening reads only the directory
 * of the file, and the elements come from the disk when they are touched. Any number of threads may
 * read at once.
 */
public interface TensorFile extends AutoCloseable {

  /** All tensors, in the order of the file. */
  SequencedSet<String> names();

  /**
   * Type and shape of a tensor.
   *
   * @throws TensorNotFoundException if the file holds no tensor of that name
   */
  TensorInfo info(String name);

  /**
   * The elements of a tensor: read-only, row-major, little-endian, without gaps; valid until {@link
   * #close()}, after which touching them throws {@link IllegalStateException}. The address need not
   * be a multiple of the element size, so read with the unaligned layouts.
   *
   * @throws TensorNotFoundException if the file holds no tensor of that name
   */
  MemorySegment bytes(String name);

  /**
   * A tensor as the file packs it, where its values share scales in blocks; its rows are those of
   * {@link #bytes}, which unpacks them. Empty for all others, and where the rows of the file are
   * not those of the tensor.
   *
   * @throws TensorNotFoundException if the file holds no tensor of that name
   */
  default Optional<QuantizedTensor> quantized(String name) {
    info(name);
    return Optional.empty();
  }

  /**
   * A tensor as the file packs it, in blocks or otherwise; its values are those of {@link #bytes}.
   * Empty where the file has plain numbers, or its rows are not those of the tensor.
   *
   * @throws TensorNotFoundException if the file holds no tensor of that name
   */
  default Optional<PackedTensor> packed(String name) {
    return quantized(name).map(PackedTensor.class::cast);
  }

  /**
   * Whether this is a checkpoint whose linear layers were quantized to be computed with so, as its
   * configuration says; not one that is packed to make the file small.
   */
  default boolean hasQuantizedLayers() {
    return false;
  }

  /**
   * Says that {@link #bytes} of this tensor have served: what was computed for them may be freed,
   * so that touching them again throws {@link IllegalStateException}. They can be asked for anew.
   */
  default void release(String name) {
    info(name);
  }

  /** Free text that the file carries next to its tensors; empty where it has none. */
  Map<String, String> metadata();

  /** Unmaps the file; the segments given out become invalid. Closing again does nothing. */
  @Override
  void close();
}
