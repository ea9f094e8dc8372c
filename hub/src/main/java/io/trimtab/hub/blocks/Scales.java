package io.trimtab.hub.blocks;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** The scales of a packed tensor's blocks. */
public sealed interface Scales {
  /** The scale of a block. */
  float at(long block);

  /** How many there are. */
  long count();

  /** The bytes that they take. */
  long bytes();

  /**
   * Scales as they are.
   *
   * @param values single precision, little-endian
   */
  record Plain(MemorySegment values) implements Scales {
    private static final ValueLayout.OfFloat FLOAT =
        ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    @Override
    public float at(long block) {
      return values.get(FLOAT, block * Float.BYTES);
    }

    @Override
    public long count() {
      return values.byteSize() / Float.BYTES;
    }

    @Override
    public long bytes() {
      return values.byteSize();
    }
  }

  /**
   * Scales that are quantized themselves ("double quantization", QLoRA, section 3): what they
   * differ by from their mean is a number of a table, times the scale of 256 of them.
   *
   * @param codes a byte for each scale
   * @param table the numbers of the codes, 256
   * @param outer the scales of the scales
   * @param blockSize how many share one of these
   * @param offset the mean
   */
  @SuppressWarnings("ArrayRecordComponent") // never written to; identity does not matter
  record Nested(MemorySegment codes, float[] table, Plain outer, int blockSize, float offset)
      implements Scales {
    @Override
    public float at(long block) {
      int code = Byte.toUnsignedInt(codes.get(ValueLayout.JAVA_BYTE, block));
      return table[code] * outer.at(block / blockSize) + offset;
    }

    @Override
    public long count() {
      return codes.byteSize();
    }

    @Override
    public long bytes() {
      return codes.byteSize() + outer.bytes() + (long) table.length * Float.BYTES;
    }
  }
}
