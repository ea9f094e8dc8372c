package io.trimtab.hub.blocks;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Optional;

/**
 * How a tensor's values are packed. A row of a tensor is a whole number of blocks, one after the
 * other; the rows follow each other without gaps. The values that a block stands for are those of
 * llama.cpp's reference, bit for bit.
 */
@SuppressWarnings("ImmutableEnumChecker") // codecs have no state
public enum BlockFormat {
  /** IEEE single precision. */
  F32(0, 1, 4, new PlainCodecs.F32()),
  /** IEEE half precision. */
  F16(1, 1, 2, new PlainCodecs.F16()),
  /** The upper half of single precision. */
  BF16(30, 1, 2, new PlainCodecs.Bf16()),
  /** 4.5 bits a value: scale. */
  Q4_0(2, 32, 18, new SmallCodecs.Q40()),
  /** 5 bits a value: scale and offset. */
  Q4_1(3, 32, 20, new SmallCodecs.Q41()),
  /** 5.5 bits a value: scale. */
  Q5_0(6, 32, 22, new SmallCodecs.Q50()),
  /** 6 bits a value: scale and offset. */
  Q5_1(7, 32, 24, new SmallCodecs.Q51()),
  /** 8.5 bits a value: scale. */
  Q8_0(8, 32, 34, new SmallCodecs.Q80()),
  /** 2.625 bits a value: sub-blocks of 16 with scale and offset. */
  Q2_K(10, 256, 84, new SuperCodecs.Q2K()),
  /** 3.4375 bits a value: sub-blocks of 16 with scale. */
  Q3_K(11, 256, 110, new SuperCodecs.Q3K()),
  /** 4.5 bits a value: sub-blocks of 32 with scale and offset. */
  Q4_K(12, 256, 144, new SuperCodecs.Q4K()),
  /** 5.5 bits a value: sub-blocks of 32 with scale and offset. */
  Q5_K(13, 256, 176, new SuperCodecs.Q5K()),
  /** 6.5625 bits a value: sub-blocks of 16 with scale. */
  Q6_K(14, 256, 210, new SuperCodecs.Q6K()),
  /** 4.5 bits a value, from a table. */
  IQ4_NL(20, 32, 18, new TableCodecs.Iq4Nl()),
  /** 4.25 bits a value, from a table, sub-blocks of 32 with scale. */
  IQ4_XS(23, 256, 136, new TableCodecs.Iq4Xs()),
  /** 1.6875 bits a value: three levels. */
  TQ1_0(34, 256, 54, new TernaryCodecs.Tq10()),
  /** 2.0625 bits a value: three levels. */
  TQ2_0(35, 256, 66, new TernaryCodecs.Tq20()),
  /** 4.25 bits a value: four-bit floating point with a shared power of two. */
  MXFP4(39, 32, 17, new TableCodecs.Mxfp4());

  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** Values that are unpacked at a time: enough to make copying cheap, few enough for the cache. */
  private static final int CHUNK = 8192;

  private final int ggmlType;
  private final int blockSize;
  private final int bytesPerBlock;
  private final BlockCodec codec;

  BlockFormat(int ggmlType, int blockSize, int bytesPerBlock, BlockCodec codec) {
    this.ggmlType = ggmlType;
    this.blockSize = blockSize;
    this.bytesPerBlock = bytesPerBlock;
    this.codec = codec;
  }

  /** The format with this number in GGUF files; empty for one that is not supported. */
  public static Optional<BlockFormat> ofGgmlType(int ggmlType) {
    return Arrays.stream(values()).filter(format -> format.ggmlType == ggmlType).findFirst();
  }

  /** The number of the format in GGUF files. */
  public int ggmlType() {
    return ggmlType;
  }

  /** How many values a block holds: 1, 32 or 256. */
  public int blockSize() {
    return blockSize;
  }

  /** How many bytes a block takes. */
  public int bytesPerBlock() {
    return bytesPerBlock;
  }

  /** Whether values share a scale, so that {@link #quantize} loses more than a rounding. */
  public boolean isQuantized() {
    return blockSize > 1;
  }

  /** Whether {@link #quantize} is there; all formats unpack. */
  public boolean canQuantize() {
    return codec.encodes();
  }

  /**
   * The bytes that {@code elements} values take.
   *
   * @throws IllegalArgumentException if they are no whole number of blocks, or more than 63 bits
   */
  public long bytes(long elements) {
    if (elements % blockSize != 0) {
      throw new IllegalArgumentException(
          elements + " values are no whole number of " + this + " blocks of " + blockSize);
    }
    try {
      return Math.multiplyExact(elements / blockSize, (long) bytesPerBlock);
    } catch (ArithmeticException e) {
      throw new IllegalArgumentException(elements + " values take more than 63 bits of bytes", e);
    }
  }

  /**
   * Unpacks blocks.
   *
   * @param blocks whole blocks
   * @param out where the values go: single precision, little-endian, 4 bytes for each
   * @throws IllegalArgumentException if the sizes do not belong together
   */
  public void dequantize(MemorySegment blocks, MemorySegment out) {
    long count = blocksIn(blocks, out);
    int most = Math.max(1, CHUNK / blockSize);
    byte[] packed = new byte[most * bytesPerBlock];
    float[] values = new float[most * blockSize];
    for (long from = 0; from < count; from += most) {
      int some = (int) Math.min(most, count - from);
      MemorySegment.copy(
          blocks, ValueLayout.JAVA_BYTE, from * bytesPerBlock, packed, 0, some * bytesPerBlock);
      for (int i = 0; i < some; i++) {
        codec.decode(packed, i * bytesPerBlock, values, i * blockSize);
      }
      MemorySegment.copy(values, 0, out, FLOAT, from * blockSize * Float.BYTES, some * blockSize);
    }
  }

  /**
   * Packs values, as the reference does it.
   *
   * @param values single precision, little-endian, finite; a whole number of blocks
   * @param blocks where the blocks go
   * @throws IllegalArgumentException if the sizes do not belong together
   * @throws UnsupportedOperationException for a format that only unpacks, see {@link #canQuantize}
   */
  public void quantize(MemorySegment values, MemorySegment blocks) {
    long count = blocksIn(blocks, values);
    int most = Math.max(1, CHUNK / blockSize);
    byte[] packed = new byte[most * bytesPerBlock];
    float[] plain = new float[most * blockSize];
    for (long from = 0; from < count; from += most) {
      int some = (int) Math.min(most, count - from);
      MemorySegment.copy(values, FLOAT, from * blockSize * Float.BYTES, plain, 0, some * blockSize);
      Arrays.fill(packed, (byte) 0);
      for (int i = 0; i < some; i++) {
        codec.encode(plain, i * blockSize, packed, i * bytesPerBlock);
      }
      MemorySegment.copy(
          packed, 0, blocks, ValueLayout.JAVA_BYTE, from * bytesPerBlock, some * bytesPerBlock);
    }
  }

  private long blocksIn(MemorySegment blocks, MemorySegment values) {
    long count = blocks.byteSize() / bytesPerBlock;
    if (blocks.byteSize() % bytesPerBlock != 0
        || values.byteSize() != count * blockSize * Float.BYTES) {
      throw new IllegalArgumentException(
          "%d bytes of %s blocks and %d bytes of single precision do not belong together"
              .formatted(blocks.byteSize(), this, values.byteSize()));
    }
    return count;
  }
}
