package io.trimtab.hub.gguf;

import io.trimtab.hub.blocks.BlockFormat;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * A tensor in single precision whose numbers are at hand.
 *
 * @param values the numbers, row by row
 * @param shape the sizes of the dimensions, outermost first
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record Floats(float[] values, long... shape) implements GgufWriter.Source {

  /** A vector. */
  static Floats of(List<Double> numbers) {
    float[] values = new float[numbers.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = numbers.get(i).floatValue();
    }
    return new Floats(values, values.length);
  }

  @Override
  public BlockFormat format() {
    return BlockFormat.F32;
  }

  @Override
  public MemorySegment blocks(Arena scratch) {
    MemorySegment out = scratch.allocate((long) values.length * Float.BYTES, Float.BYTES);
    BlockFormat.F32.quantize(MemorySegment.ofArray(values), out);
    return out;
  }
}
