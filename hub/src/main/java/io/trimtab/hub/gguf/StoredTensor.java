package io.trimtab.hub.gguf;

import io.trimtab.hub.TensorInfo;
import io.trimtab.hub.blocks.BlockFormat;
import io.trimtab.tensor.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A tensor of a checkpoint and where a GGUF file has it.
 *
 * @param info name, type and shape in the checkpoint
 * @param format how the file packs it
 * @param blocks its part of the file
 * @param layout how its values or rows differ
 * @param heads the heads among which rows in another order are divided
 */
record StoredTensor(
    TensorInfo info, BlockFormat format, MemorySegment blocks, Layout layout, long heads) {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** The tensors of the checkpoint that a tensor of the file holds: one, or one for each expert. */
  static List<StoredTensor> of(
      GgufTensor tensor, TensorRule rule, TensorRule.Place place, long heads) {
    long[] shape = tensor.shape();
    return switch (rule.layout()) {
      case EXPERTS -> {
        List<StoredTensor> experts = new ArrayList<>();
        long size = tensor.blocks().byteSize() / shape[0];
        long[] one = Arrays.copyOfRange(shape, 1, shape.length);
        Layout.EXPERTS.check(tensor.name(), one, 1);
        for (long e = 0; e < shape[0]; e++) {
          String name = rule.hfName(new TensorRule.Place(place.block(), e, place.suffix()));
          experts.add(
              make(name, tensor, one, tensor.blocks().asSlice(e * size, size), Layout.PLAIN, 1));
        }
        yield experts;
      }
      case TRANSPOSED ->
          List.of(
              make(
                  rule.hfName(place),
                  tensor,
                  shape.length == 2 ? new long[] {shape[1], shape[0]} : shape,
                  tensor.blocks(),
                  shape.length == 1 ? Layout.PLAIN : Layout.TRANSPOSED,
                  1));
      case PLAIN, PLUS_ONE, ROTARY_QUERY, ROTARY_KEY, QUERIES_KEYS_VALUES ->
          List.of(make(rule.hfName(place), tensor, shape, tensor.blocks(), rule.layout(), heads));
    };
  }

  private static StoredTensor make(
      String name,
      GgufTensor tensor,
      long[] shape,
      MemorySegment blocks,
      Layout layout,
      long heads) {
    layout.check(tensor.name(), shape, heads);
    DType dtype =
        switch (tensor.format()) {
          case F16 -> layout.byRows() ? DType.F16 : DType.F32;
          case BF16 -> layout.byRows() ? DType.BF16 : DType.F32;
          default -> DType.F32;
        };
    return new StoredTensor(
        new TensorInfo(name, dtype, shape), tensor.format(), blocks, layout, heads);
  }

  /** Whether the file has the values in the type that they are wanted in. */
  boolean isUnpacked() {
    return !format.isQuantized() && format.name().equals(info.dtype().name()) && layout.byRows();
  }

  /** The packed rows in the checkpoint's order. */
  MemorySegment ordered(Arena arena) {
    long rows = info.shape()[0];
    long size = blocks.byteSize() / rows;
    MemorySegment out = arena.allocate(blocks.byteSize(), Long.BYTES);
    for (long row = 0; row < rows; row++) {
      MemorySegment.copy(blocks, layout.stored(row, rows, heads) * size, out, row * size, size);
    }
    return out;
  }

  /** The values in single precision, as the checkpoint has them. */
  MemorySegment values(Arena arena) {
    MemorySegment out = arena.allocate(info.elements() * Float.BYTES, Long.BYTES);
    switch (layout) {
      case ROTARY_QUERY, ROTARY_KEY, QUERIES_KEYS_VALUES -> {
        try (Arena scratch = Arena.ofConfined()) {
          format.dequantize(ordered(scratch), out);
        }
      }
      case PLUS_ONE -> {
        format.dequantize(blocks, out);
        for (long at = 0; at < out.byteSize(); at += Float.BYTES) {
          out.set(FLOAT, at, out.get(FLOAT, at) - 1);
        }
      }
      case TRANSPOSED -> {
        try (Arena scratch = Arena.ofConfined()) {
          MemorySegment plain = scratch.allocate(out.byteSize(), Float.BYTES);
          format.dequantize(blocks, plain);
          transpose(plain, out, info.shape()[0], info.shape()[1]);
        }
      }
      case PLAIN, EXPERTS -> format.dequantize(blocks, out);
    }
    return out;
  }

  /** From {@code [columns, rows]} to {@code [rows, columns]}. */
  static void transpose(MemorySegment from, MemorySegment to, long rows, long columns) {
    for (long row = 0; row < rows; row++) {
      for (long column = 0; column < columns; column++) {
        float value = from.get(FLOAT, (column * rows + row) * Float.BYTES);
        to.set(FLOAT, (row * columns + column) * Float.BYTES, value);
      }
    }
  }
}
