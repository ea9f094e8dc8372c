package io.trimtab.hub.gguf;

import io.trimtab.hub.blocks.BlockFormat;
import io.trimtab.hub.blocks.QuantizedTensor;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * A tensor as a GGUF file names and stores it.
 *
 * @param name the name in the file, such as {@code blk.0.attn_q.weight}
 * @param packed format, shape (outermost dimension first, other than in the file) and bytes
 */
public record GgufTensor(String name, QuantizedTensor packed) {

  /** How the values are packed. */
  public BlockFormat format() {
    return packed.format();
  }

  /** The sizes of the dimensions, outermost first. */
  public long[] shape() {
    return packed.shape();
  }

  /** The bytes in the file; valid as long as it is open. */
  public MemorySegment blocks() {
    return packed.blocks();
  }

  /** All values, unpacked. */
  float[] floats() {
    float[] out = new float[Math.toIntExact(packed.elements())];
    format().dequantize(blocks(), MemorySegment.ofArray(out));
    return out;
  }

  @Override
  public String toString() {
    return name + " " + format() + Arrays.toString(shape());
  }
}
