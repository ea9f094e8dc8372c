package io.trimtab.hub.blocks;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.LongStream;

/**
 * Values that are numbers of a table of sixteen, times a scale that a block of them shares. Blocks
 * run through the rows without a gap. Of two values in a byte, the first is in its high half: as
 * bitsandbytes has it.
 *
 * @param code the table
 * @param shape the sizes of the dimensions, outermost first
 * @param blockSize how many values share a scale; even
 * @param codes two values a byte
 * @param scales one a block
 */
@SuppressWarnings("ArrayRecordComponent") // copied on the way in and out; identity does not matter
public record FourBitTensor(
    FourBitCode code, long[] shape, int blockSize, MemorySegment codes, Scales scales)
    implements PackedTensor {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final int CHUNK = 4096;

  /**
   * Checks the parts against each other.
   *
   * @throws IllegalArgumentException if there are too few or too many codes or scales
   */
  public FourBitTensor {
    shape = shape.clone();
    long elements = Arrays.stream(shape).reduce(1, Math::multiplyExact);
    long blocks = Math.ceilDiv(elements, Math.max(1, blockSize));
    if (blockSize < 2
        || blockSize % 2 != 0
        || codes.byteSize() != (elements + 1) / 2
        || scales.count() != blocks) {
      throw new IllegalArgumentException(
          "%d bytes of 4-bit codes and %d scales of blocks of %d do not belong to a tensor of %s"
              .formatted(codes.byteSize(), scales.count(), blockSize, Arrays.toString(shape)));
    }
  }

  /** A copy of the sizes of the dimensions, outermost first. */
  @Override
  public long[] shape() {
    return shape.clone();
  }

  @Override
  public String form() {
    return code.name().toLowerCase(Locale.ROOT);
  }

  @Override
  public long bytes() {
    return codes.byteSize() + scales.bytes();
  }

  @Override
  public void dequantize(long firstRow, long rows, MemorySegment out) {
    long row = row();
    if (out.byteSize() != rows * row * Float.BYTES) {
      throw new IllegalArgumentException(
          "%d rows of %d values do not fill %d bytes".formatted(rows, row, out.byteSize()));
    }
    float[] table = code.shared();
    byte[] packed = new byte[CHUNK / 2 + 1];
    float[] values = new float[CHUNK];
    long first = firstRow * row;
    long end = first + rows * row;
    for (long from = first; from < end; from += CHUNK) {
      int some = (int) Math.min(CHUNK, end - from);
      long start = from / 2;
      MemorySegment.copy(
          codes, ValueLayout.JAVA_BYTE, start, packed, 0, (int) ((from + some + 1) / 2 - start));
      int skipped = (int) (from % 2);
      for (int i = 0; i < some; ) {
        long block = (from + i) / blockSize;
        float scale = scales.at(block);
        int until = (int) Math.min(some, (block + 1) * blockSize - from);
        for (; i < until; i++) {
          int at = i + skipped;
          int nibble = (packed[at >> 1] >> (4 - 4 * (at & 1))) & 15;
          values[i] = table[nibble] * scale;
        }
      }
      MemorySegment.copy(values, 0, out, FLOAT, (from - first) * Float.BYTES, some);
    }
  }

  private long row() {
    return shape.length == 0 || shape[0] == 0
        ? 0
        : Arrays.stream(shape).skip(1).reduce(1, (a, b) -> a * b);
  }

  /**
   * Packs values into the nearest numbers of NF4: the scale is the block's largest magnitude.
   *
   * @param values single precision, little-endian, finite
   * @param arena where codes and scales are put; shared, for several threads work
   */
  public static FourBitTensor nf4(MemorySegment values, long[] shape, int blockSize, Arena arena) {
    long elements = values.byteSize() / Float.BYTES;
    long blocks = Math.ceilDiv(elements, blockSize);
    MemorySegment codes = arena.allocate((elements + 1) / 2);
    MemorySegment scales = arena.allocate(blocks * Float.BYTES, Float.BYTES);
    LongStream.range(0, blocks)
        .parallel()
        .forEach(
            block -> {
              long from = block * blockSize;
              int some = (int) Math.min(blockSize, elements - from);
              float[] plain = new float[some + some % 2]; // a code more for an odd last block
              MemorySegment.copy(values, FLOAT, from * Float.BYTES, plain, 0, some);
              float scale = BlockCodec.largestMagnitude(plain, 0, some);
              scales.set(FLOAT, block * Float.BYTES, scale);
              float inverse = BlockCodec.inverse(scale);
              for (int i = 0; i < plain.length; i += 2) {
                int high = FourBitCode.NF4.nearest(plain[i] * inverse);
                int low = FourBitCode.NF4.nearest(plain[i + 1] * inverse);
                codes.set(ValueLayout.JAVA_BYTE, (from + i) / 2, (byte) (high << 4 | low));
              }
            });
    return new FourBitTensor(FourBitCode.NF4, shape, blockSize, codes, new Scales.Plain(scales));
  }

  /**
   * The same tensor with its scales quantized in their turn, which takes a quarter of a bit a value
   * instead of half a bit; see {@link Scales.Nested}.
   */
  public FourBitTensor nested(Arena arena) {
    return new FourBitTensor(code, shape, blockSize, codes, DynamicCode.quantize(scales, arena));
  }
}
