package io.trimtab.kernel;

import io.trimtab.tensor.TrimtabException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * A quantized matrix, repacked so that a product streams it. Sixteen rows make a panel, and lane r
 * of every vector belongs to row r of the panel: a product multiplies a vector of weights by one
 * broadcast input, never sums across lanes, and finds sixteen scales in one load.
 *
 * <p>Nothing is rounded: a panel holds the integers and scales of the original. The last panel is
 * filled up with zeros. Immutable; any number of threads may share one.
 */
public final class Panels implements Matrix {
  /** Rows of a panel: the F32 lanes of the widest vectors, 512 bits. */
  static final int ROWS = 16;

  /** Bytes of one 32-bit word of every row. */
  static final int LINE = ROWS * Integer.BYTES;

  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** Panels that are packed by one thread at a time. */
  private static final int TOGETHER = 16;

  /** The lines of a group of weights. */
  enum Layout {
    /** A line with f16 d (lower half) and m (upper half), then four of nibbles. */
    NIBBLES_HALF(true, 1, 4),
    /** A line of F32 scales and one of minima, then four of nibbles. */
    NIBBLES_SINGLE(true, 2, 4),
    /** A line of F32 scales, then four signed bytes in each word, for 32 weights. */
    BYTES_32(false, 1, 8),
    /** The same for 16 weights. */
    BYTES_16(false, 1, 4);

    /** Whether words hold eight 4-bit q: byte b of word i columns 4 i + b and 16 + 4 i + b. */
    final boolean nibbles;

    /** Lines before the weights. */
    final int scales;

    /** Lines of weights. */
    final int words;

    Layout(boolean nibbles, int scales, int words) {
      this.nibbles = nibbles;
      this.scales = scales;
      this.words = words;
    }

    static Layout of(Format format) {
      return switch (format) {
        case Q4_0, Q4_1 -> NIBBLES_HALF;
        case Q4_K -> NIBBLES_SINGLE;
        case Q8_0 -> BYTES_32;
        case Q6_K -> BYTES_16;
      };
    }

    /** Bytes of a group's lines. */
    int bytes() {
      return (scales + words) * LINE;
    }
  }

  private final Layout layout;
  private final Format format;
  private final int rows;
  private final int columns;
  private final MemorySegment data;

  private Panels(Format format, int rows, int columns, Arena arena) {
    this.format = format;
    this.rows = rows;
    this.columns = columns;
    layout = Layout.of(format);
    data = arena.allocate(panelBytes() * pieces(), LINE);
  }

  /**
   * Repacks a matrix.
   *
   * @param blocks its rows one after the other, at any alignment; not read any more afterwards
   * @param crew who does it
   * @param arena where the panels go; it has to outlive all products
   * @throws TrimtabException where the blocks are not the matrix's, or a scale is not finite
   */
  public static Panels pack(
      Format format, int rows, int columns, MemorySegment blocks, Crew crew, Arena arena) {
    long rowBytes = (long) columns / format.block() * format.blockBytes();
    if (rows < 1 || columns < 1 || columns % format.block() != 0) {
      throw new TrimtabException(
          "found a matrix [%d, %d] of %s, expected rows of a multiple of %d"
              .formatted(rows, columns, format, format.block()));
    }
    if (blocks.byteSize() != rowBytes * rows) {
      throw new TrimtabException(
          "found %d bytes for a matrix [%d, %d] of %s, expected %d"
              .formatted(blocks.byteSize(), rows, columns, format, rowBytes * rows));
    }
    Panels panels = new Panels(format, rows, columns, arena);
    int pieces = (panels.pieces() + TOGETHER - 1) / TOGETHER;
    crew.run(
        pieces,
        piece -> {
          int end = Math.min(rows, (piece + 1) * TOGETHER * ROWS);
          for (int row = piece * TOGETHER * ROWS; row < end; row++) {
            panels.packRow(blocks.asSlice(row * rowBytes, rowBytes), row);
          }
        });
    return panels;
  }

  private void packRow(MemorySegment blocks, int row) {
    long to = at(row / ROWS) + (long) (row % ROWS) * Integer.BYTES;
    switch (format) {
      case Q4_1 -> {
        for (long from = 0; from < blocks.byteSize(); from += 20) {
          finite(Blocks.half(blocks, from), row);
          finite(Blocks.half(blocks, from + 2), row);
          to = copyWords(blocks, from, to, 5);
        }
      }
      case Q4_0 -> {
        for (long from = 0; from < blocks.byteSize(); from += 18) {
          float scale = Blocks.half(blocks, from);
          short minimum = Float.floatToFloat16(-8 * scale);
          finite(Float.float16ToFloat(minimum), row); // which 8 times a large scale is not
          int both = (Float.floatToFloat16(scale) & 0xFFFF) | (minimum << 16);
          to = word(to, both);
          to = copyWords(blocks, from + 2, to, 4);
        }
      }
      case Q8_0 -> {
        for (long from = 0; from < blocks.byteSize(); from += 34) {
          float scale = Blocks.half(blocks, from);
          finite(scale, row);
          to = word(to, Float.floatToRawIntBits(scale));
          to = copyWords(blocks, from + 2, to, 8);
        }
      }
      case Q4_K, Q6_K -> packGroups(blocks, row, to);
    }
  }

  private void packGroups(MemorySegment blocks, int row, long first) {
    Blocks group = new Blocks(format);
    int groups = format.block() / format.group();
    long to = first;
    for (int i = 0; i < columns / format.group(); i++) {
      group.read(blocks, (long) i / groups * format.blockBytes(), i % groups);
      finite(group.scale(), row);
      finite(group.minimum(), row);
      to = word(to, Float.floatToRawIntBits(group.scale()));
      if (layout.scales == 2) {
        to = word(to, Float.floatToRawIntBits(group.minimum()));
      }
      for (int w = 0; w < layout.words; w++) {
        int bits = 0;
        for (int b = 0; b < Integer.BYTES; b++) {
          int both =
              layout.nibbles
                  ? group.q(4 * w + b) | (group.q(16 + 4 * w + b) << 4)
                  : group.q(4 * w + b) & 0xFF;
          bits |= both << (Byte.SIZE * b);
        }
        to = word(to, bits);
      }
    }
  }

  private long copyWords(MemorySegment blocks, long from, long first, int words) {
    long to = first;
    for (int w = 0; w < words; w++) {
      to = word(to, blocks.get(Blocks.INT, from + (long) w * Integer.BYTES));
    }
    return to;
  }

  private long word(long to, int bits) {
    data.set(INT, to, bits);
    return to + LINE;
  }

  /** The kernels decode f16 by arithmetic, which knows no infinities. */
  private void finite(float value, int row) {
    if (!Float.isFinite(value)) {
      throw new TrimtabException(
          "found the scale %s in row %d of a matrix of %s, expected a finite one; is the file damaged?"
              .formatted(value, row, format));
    }
  }

  @Override
  public int rows() {
    return rows;
  }

  @Override
  public int columns() {
    return columns;
  }

  @Override
  public long bytes() {
    return data.byteSize();
  }

  /** Panels. */
  @Override
  public int pieces() {
    return (rows + ROWS - 1) / ROWS;
  }

  Layout layout() {
    return layout;
  }

  MemorySegment data() {
    return data;
  }

  private long panelBytes() {
    return (long) columns / format.group() * layout.bytes();
  }

  long at(int panel) {
    return panel * panelBytes();
  }

  @Override
  public String toString() {
    return "%s [%d, %d]".formatted(format, rows, columns);
  }
}
