package io.trimtab.hub.gguf;

import io.trimtab.hub.HubException;
import io.trimtab.hub.TensorFile;
import io.trimtab.hub.TensorInfo;
import io.trimtab.hub.blocks.BlockFormat;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * A tensor of a GGUF file that is made of one tensor of a checkpoint, or of those of all experts.
 */
final class GgufSource implements GgufWriter.Source {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /**
   * A tensor of the checkpoint.
   *
   * @param expert its number; 0 where there are none
   * @param info its name, type and shape
   */
  record Part(long expert, TensorInfo info) {}

  private final TensorFile tensors;
  private final List<Part> parts;
  private final Layout layout;
  private final long heads;
  private final BlockFormat format;
  private final long[] shape;

  private GgufSource(
      TensorFile tensors,
      List<Part> parts,
      Layout layout,
      long heads,
      BlockFormat format,
      long[] shape) {
    this.tensors = tensors;
    this.parts = parts;
    this.layout = layout;
    this.heads = heads;
    this.format = format;
    this.shape = shape;
  }

  static GgufSource of(
      TensorFile tensors, List<Part> parts, TensorRule rule, long heads, BlockFormat format) {
    List<Part> sorted = new ArrayList<>(parts);
    sorted.sort(Comparator.comparingLong(Part::expert));
    TensorInfo first = sorted.getFirst().info();
    long[] one = first.shape();
    for (int i = 0; i < sorted.size(); i++) {
      if (sorted.get(i).expert() != i || !Arrays.equals(sorted.get(i).info().shape(), one)) {
        throw new HubException.Malformed(
            "expected experts 0 to %d of one shape, found %s"
                .formatted(sorted.size() - 1, sorted.get(i).info()));
      }
    }
    Layout layout =
        rule.layout() == Layout.TRANSPOSED && one.length < 2 ? Layout.PLAIN : rule.layout();
    layout.check(first.name(), one, heads);
    long[] shape =
        switch (layout) {
          case EXPERTS -> new long[] {sorted.size(), one[0], one[1]};
          case TRANSPOSED -> new long[] {one[1], one[0]};
          case PLAIN, PLUS_ONE, ROTARY_QUERY, ROTARY_KEY, QUERIES_KEYS_VALUES -> one;
        };
    return new GgufSource(tensors, sorted, layout, heads, format, shape);
  }

  @Override
  public BlockFormat format() {
    return format;
  }

  @Override
  public long[] shape() {
    return shape.clone();
  }

  @Override
  public MemorySegment blocks(Arena scratch) {
    long elements = parts.getFirst().info().elements();
    long size = format.bytes(elements);
    MemorySegment out = scratch.allocate(size * parts.size(), Long.BYTES);
    for (int i = 0; i < parts.size(); i++) {
      TensorInfo info = parts.get(i).info();
      try (Arena one = Arena.ofConfined()) {
        format.quantize(values(info, one), out.asSlice(i * size, size));
      } finally {
        tensors.release(info.name()); // else a packed model would be unpacked in memory, whole
      }
    }
    return out;
  }

  /** In single precision, laid out as in GGUF files. */
  private MemorySegment values(TensorInfo info, Arena arena) {
    MemorySegment plain = plain(info, arena);
    return switch (layout) {
      case PLAIN, EXPERTS -> plain;
      case PLUS_ONE -> {
        MemorySegment out = arena.allocate(plain.byteSize(), Float.BYTES);
        for (long at = 0; at < plain.byteSize(); at += Float.BYTES) {
          out.set(FLOAT, at, plain.get(FLOAT, at) + 1);
        }
        yield out;
      }
      case TRANSPOSED -> {
        MemorySegment out = arena.allocate(plain.byteSize(), Float.BYTES);
        StoredTensor.transpose(plain, out, shape[0], shape[1]);
        yield out;
      }
      case ROTARY_QUERY, ROTARY_KEY, QUERIES_KEYS_VALUES -> {
        MemorySegment out = arena.allocate(plain.byteSize(), Float.BYTES);
        long rows = shape[0];
        long row = plain.byteSize() / rows;
        for (long i = 0; i < rows; i++) {
          MemorySegment.copy(plain, i * row, out, layout.stored(i, rows, heads) * row, row);
        }
        yield out;
      }
    };
  }

  private MemorySegment plain(TensorInfo info, Arena arena) {
    MemorySegment bytes = tensors.bytes(info.name());
    BlockFormat from =
        switch (info.dtype()) {
          case F32 -> BlockFormat.F32;
          case F16 -> BlockFormat.F16;
          case BF16 -> BlockFormat.BF16;
          default ->
              throw new HubException.Unsupported(
                  info + " is none of F32, F16 and BF16, which alone are packed");
        };
    if (from == BlockFormat.F32) {
      return bytes;
    }
    MemorySegment out = arena.allocate(info.elements() * Float.BYTES, Float.BYTES);
    from.dequantize(bytes, out);
    return out;
  }
}
