package io.trimtab.hub;

import io.trimtab.hub.blocks.BlockFormat;
import io.trimtab.hub.blocks.FourBitTensor;
import io.trimtab.hub.blocks.Int8Rows;
import io.trimtab.hub.blocks.PackedTensor;
import io.trimtab.hub.blocks.QuantizedTensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Locale;

/** Ways to pack a checkpoint's matrices that need no data, only the numbers themselves. */
public enum Quantizer {
  /** The nearest 4-bit NormalFloats, a scale for 64 of them: 4.5 bits a number. */
  NF4,
  /** 8-bit whole numbers, a scale for each row. */
  INT8,
  /** 4-bit whole numbers, a scale for 32 of a row: blocks of Q4_0, 4.5 bits a number. */
  INT4;

  /** How many NormalFloats share a scale. */
  static final int NF4_BLOCK = 64;

  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** Whether a matrix of this shape can be packed so: whole numbers of 4 bits come in groups. */
  public boolean fits(long... shape) {
    return shape.length == 2 && (this != INT4 || shape[1] % Int4Layout.GROUP == 0);
  }

  /** What reports and options call it. */
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * Packs a matrix of a file.
   *
   * @param turned whether the file has it the other way round, [in, out]
   * @param arena where the result is put; shared, for several threads work
   * @return [out, in]
   * @throws HubException.Unsupported for a shape that does not {@linkplain #fits fit}, a type other
   *     than F32, F16 and BF16, or numbers that are not finite
   */
  public PackedTensor pack(TensorFile file, String name, boolean turned, Arena arena) {
    TensorInfo info = file.info(name);
    long[] stored = info.shape();
    long[] shape = turned && stored.length == 2 ? new long[] {stored[1], stored[0]} : stored;
    if (!fits(shape)) {
      throw new HubException.Unsupported(
          "found " + info + ", expected a matrix whose rows are whole groups for " + word());
    }
    try (Arena scratch = Arena.ofShared()) { // several threads pack
      MemorySegment values = floats(file, info, scratch);
      if (turned) {
        MemorySegment straight = scratch.allocate(values.byteSize(), Float.BYTES);
        for (long row = 0; row < shape[0]; row++) {
          for (long column = 0; column < shape[1]; column++) {
            straight.set(
                FLOAT,
                (row * shape[1] + column) * Float.BYTES,
                values.get(FLOAT, (column * shape[0] + row) * Float.BYTES));
          }
        }
        values = straight;
      }
      return pack(values, shape, arena);
    }
  }

  /**
   * Packs a matrix.
   *
   * @param values single precision, little-endian, finite, row after row
   * @param shape [out, in]
   * @param arena where the result is put; shared, for several threads work
   */
  public PackedTensor pack(MemorySegment values, long[] shape, Arena arena) {
    return switch (this) {
      case NF4 -> FourBitTensor.nf4(values, shape, NF4_BLOCK, arena);
      case INT8 -> Int8Rows.quantize(values, shape, arena);
      case INT4 -> {
        long elements = values.byteSize() / Float.BYTES;
        MemorySegment blocks = arena.allocate(BlockFormat.Q4_0.bytes(elements), 64);
        BlockFormat.Q4_0.quantize(values, blocks);
        yield new QuantizedTensor(BlockFormat.Q4_0, shape, blocks);
      }
    };
  }

  /** The values in single precision. */
  private static MemorySegment floats(TensorFile file, TensorInfo info, Arena scratch) {
    BlockFormat format =
        switch (info.dtype()) {
          case F32 -> BlockFormat.F32;
          case F16 -> BlockFormat.F16;
          case BF16 -> BlockFormat.BF16;
          default ->
              throw new HubException.Unsupported(
                  "found " + info + ", expected numbers of type F32, F16 or BF16 to quantize");
        };
    MemorySegment out = scratch.allocate(info.elements() * Float.BYTES, Float.BYTES);
    format.dequantize(file.bytes(info.name()), out);
    file.release(info.name());
    for (long at = 0; at < out.byteSize(); at += Float.BYTES) {
      if (!Float.isFinite(out.get(FLOAT, at))) {
        throw new HubException.Unsupported(
            "found a number that is not finite in " + info + ", expected finite ones to quantize");
      }
    }
    return out;
  }
}
