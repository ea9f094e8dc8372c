package io.trimtab.kernel;

import io.trimtab.tensor.TrimtabException;
import java.lang.foreign.MemorySegment;

/**
 * A matrix whose plain numbers are read where they are, row after row. The memory stays its
 * owner's, who must not free it while a product runs.
 *
 * @param type how a number is stored
 * @param rows outputs
 * @param columns inputs
 * @param data {@code rows · columns} numbers, little-endian
 */
public record Rows(Type type, int rows, int columns, MemorySegment data) implements Matrix {
  /** Rows that one pass over the input computes. */
  static final int TOGETHER = 4;

  /** How a number is stored. */
  public enum Type {
    /** Single precision. */
    F32(4),
    /** The upper half of single precision. */
    BF16(2);

    final int bytes;

    Type(int bytes) {
      this.bytes = bytes;
    }
  }

  /** Checks that the memory holds just this matrix. */
  public Rows {
    if (rows < 1 || columns < 1 || data.byteSize() != (long) rows * columns * type.bytes) {
      throw new TrimtabException(
          "found %d bytes for a matrix [%d, %d] of %s, expected the matrix's own"
              .formatted(data.byteSize(), rows, columns, type));
    }
  }

  @Override
  public long bytes() {
    return data.byteSize();
  }

  @Override
  public int pieces() {
    return (rows + TOGETHER - 1) / TOGETHER;
  }

  /** Where a row starts, in bytes. */
  long at(int row) {
    return (long) row * columns * type.bytes;
  }

  @Override
  public String toString() {
    return "%s [%d, %d]".formatted(type, rows, columns);
  }
}
