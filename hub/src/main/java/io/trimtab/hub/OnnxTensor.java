package io.trimtab.hub;

import io.trimtab.tensor.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads one constant tensor of an ONNX file. Its elements are plain bytes ({@code raw_data}) or
 * typed lists: floats and doubles as plain bytes too, integers as varints, half floats as the bits
 * of integers.
 */
final class OnnxTensor {
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private static final int EXTERNAL = 1;

  /** ONNX's numbers of element types. */
  private static final Map<Long, DType> TYPES =
      Map.of(
          1L, DType.F32,
          2L, DType.U8,
          3L, DType.I8,
          6L, DType.I32,
          7L, DType.I64,
          9L, DType.BOOL,
          10L, DType.F16,
          11L, DType.F64,
          16L, DType.BF16);

  private final Path file;
  private String name = "";
  private long type;
  private final List<Long> dimensions = new ArrayList<>();
  private @Nullable MemorySegment raw;

  /** Runs of plain or varint elements with the number of the field they came in. */
  private final List<Run> runs = new ArrayList<>();

  private record Run(int field, MemorySegment bytes) {}

  private OnnxTensor(Path file) {
    this.file = file;
  }

  /** Reads a tensor; elements that are not plain bytes in the file are unpacked into the arena. */
  static MappedTensors.Stored read(Path file, ProtoReader message, Arena arena) {
    var tensor = new OnnxTensor(file);
    tensor.parse(message);
    return tensor.stored(arena);
  }

  private void parse(ProtoReader message) {
    while (message.next()) {
      switch (message.field()) {
        case 1 -> message.numbers(this::dimension);
        case 2 -> type = message.number();
        case 4, 5, 7, 10 -> runs.add(new Run(message.field(), message.elements()));
        case 8 -> name = message.text();
        case 9 -> raw = message.bytes();
        case 3, 6, 11 ->
            throw new FileFormatException(
                file,
                "'%s' has elements in field %d, not supported".formatted(name, message.field()));
        case 14 -> {
          if (message.number() == EXTERNAL) {
            throw new FileFormatException(
                file, "'" + name + "' is kept in another file (external data), not supported");
          }
        }
        default -> {}
      }
    }
  }

  private void dimension(long size) {
    if (dimensions.size() == TensorInfo.MAX_RANK) {
      throw new FileFormatException(file, "is damaged: a tensor has too many dimensions");
    }
    dimensions.add(size);
  }

  private MappedTensors.Stored stored(Arena arena) {
    if (name.isEmpty()) {
      throw new FileFormatException(file, "is damaged: a tensor has no name");
    }
    @Nullable DType dtype = TYPES.get(type);
    if (dtype == null) {
      throw new FileFormatException(
          file, "'" + name + "' has the unsupported ONNX dtype number " + type);
    }
    TensorInfo info = TensorInfo.in(file, name, dtype, dimensions);
    if (raw != null) {
      if (!runs.isEmpty()) {
        throw new FileFormatException(file, "'" + name + "' has raw_data and typed elements");
      }
      if (raw.byteSize() != info.byteSize()) {
        throw wrongCount(info, raw.byteSize() + " bytes of raw_data");
      }
      return new MappedTensors.Stored(info, raw);
    }
    return new MappedTensors.Stored(info, unpack(info, arena));
  }

  private MemorySegment unpack(TensorInfo info, Arena arena) {
    int field =
        switch (info.dtype()) {
          case F32 -> 4;
          case F64 -> 10;
          case I64 -> 7;
          case I32, F16, BF16, I8, U8, BOOL -> 5;
        };
    long stored = 0;
    for (Run run : runs) {
      if (run.field() != field) {
        throw new FileFormatException(
            file,
            "'%s' has elements in field %d instead of %d".formatted(info, run.field(), field));
      }
      stored += run.bytes().byteSize();
    }
    boolean plain = field == 4 || field == 10;
    // A varint takes at least a byte: checked before anything of the announced size is allocated.
    if (plain ? stored != info.byteSize() : stored < info.elements()) {
      throw wrongCount(info, stored + " bytes of elements");
    }
    if (plain && runs.size() == 1) {
      return runs.getFirst().bytes();
    }
    MemorySegment all = arena.allocate(info.byteSize(), Long.BYTES);
    long position = 0;
    for (Run run : runs) {
      position =
          plain ? append(run.bytes(), all, position) : decode(run.bytes(), info, all, position);
    }
    if (position != info.byteSize()) {
      throw wrongCount(info, position / info.dtype().bytes() + " elements");
    }
    return all.asReadOnly();
  }

  private static long append(MemorySegment run, MemorySegment all, long position) {
    MemorySegment.copy(run, 0, all, position, run.byteSize());
    return position + run.byteSize();
  }

  private long decode(MemorySegment run, TensorInfo info, MemorySegment all, long start) {
    var cursor = new ByteCursor(file, run);
    int width = info.dtype().bytes();
    long position = start;
    while (cursor.hasRemaining()) {
      long value = cursor.varint();
      if (position == all.byteSize()) {
        throw wrongCount(info, "more elements");
      }
      switch (width) {
        case 1 -> all.set(ValueLayout.JAVA_BYTE, position, (byte) value);
        case 2 -> all.set(SHORT, position, (short) value);
        case 4 -> all.set(INT, position, (int) value);
        default -> all.set(LONG, position, value);
      }
      position += width;
    }
    return position;
  }

  private FileFormatException wrongCount(TensorInfo info, String found) {
    return new FileFormatException(
        file,
        "'%s' should have %d elements of %d bytes, found %s"
            .formatted(info, info.elements(), info.dtype().bytes(), found));
  }
}
