package io.trimtab.hub.blocks;

import java.lang.foreign.MemorySegment;

/**
 * A tensor of whole numbers of a few bits, of which some share a scale. Any number of threads may
 * unpack it at once.
 */
public interface PackedTensor {
  /** A copy of the sizes of the dimensions, outermost first. */
  long[] shape();

  /** What reports call the packing, such as {@code q4_1}, {@code nf4} or {@code int8}. */
  String form();

  /** The bytes that it takes, scales and tables included. */
  long bytes();

  /**
   * Unpacks rows: what is below the first dimension.
   *
   * @param firstRow the first row
   * @param rows how many
   * @param out where the values go: single precision, little-endian, 4 bytes for each
   * @throws IllegalArgumentException if the sizes do not belong together
   */
  void dequantize(long firstRow, long rows, MemorySegment out);
}
