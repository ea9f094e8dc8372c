package io.trimtab.hub;

import io.trimtab.tensor.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.SequencedSet;
import org.jspecify.annotations.Nullable;

/**
 * The variables of a TensorFlow SavedModel or checkpoint: {@code NAME.index}, a table of names, and
 * {@code NAME.data-00000-of-00001}, the plain elements (or several such shards). Names are as
 * stored; kernels of dense layers are {@code [in, out]}. Text variables, in which TensorFlow 2
 * keeps its own bookkeeping, are left out.
 */
public final class TensorFlowBundle implements TensorFile {
  private static final String INDEX = ".index";
  private static final int TEXT = 7;

  /** TensorFlow's numbers of element types. */
  private static final Map<Long, DType> TYPES =
      Map.of(
          1L, DType.F32,
          2L, DType.F64,
          3L, DType.I32,
          4L, DType.U8,
          6L, DType.I8,
          9L, DType.I64,
          10L, DType.BOOL,
          14L, DType.BF16,
          19L, DType.F16);

  private record Entry(TensorInfo info, int shard, long offset, long size, int checksum) {}

  private final Path file;
  private final MappedTensors tensors;
  private final Map<String, Integer> checksums = new HashMap<>();

  private TensorFlowBundle(Path file, MappedTensors tensors, List<Entry> entries) {
    this.file = file;
    this.tensors = tensors;
    entries.forEach(entry -> checksums.put(entry.info().name(), entry.checksum()));
  }

  /**
   * Opens a bundle by its index; the shards lie next to it.
   *
   * @param variablesIndex the file {@code variables.index} (any name that ends with {@code .index})
   * @throws FileFormatException if index or shards are missing, damaged, or of an element type that
   *     {@link DType} does not have
   */
  public static TensorFlowBundle open(Path variablesIndex) {
    return MappedTensors.inNewArena(arena -> new Opener(variablesIndex).open(arena));
  }

  @Override
  public SequencedSet<String> names() {
    return tensors.names();
  }

  @Override
  public TensorInfo info(String name) {
    return tensors.info(name);
  }

  @Override
  public MemorySegment bytes(String name) {
    return tensors.bytes(name);
  }

  @Override
  public Map<String, String> metadata() {
    return tensors.metadata();
  }

  @Override
  public void close() {
    tensors.close();
  }

  /**
   * Reads a tensor and compares it with the checksum in the index.
   *
   * @throws FileFormatException if they differ
   */
  public void verify(String name) {
    MemorySegment bytes = bytes(name);
    if (!Integer.valueOf(MaskedCrc.of(bytes)).equals(checksums.get(name))) {
      throw new FileFormatException(
          file, "the checksum of '" + name + "' is wrong; the data file is damaged");
    }
  }

  /** What is known while the index is being read. */
  private static final class Opener {
    private final Path file;
    private final SequencedMap<String, Entry> entries = new LinkedHashMap<>();
    private long shards = -1;

    Opener(Path file) {
      this.file = file;
    }

    TensorFlowBundle open(Arena arena) {
      String name = String.valueOf(file.getFileName());
      if (!name.endsWith(INDEX)) {
        throw new FileFormatException(file, "is not the index of a bundle: no *" + INDEX);
      }
      TableReader.forEach(file, MappedTensors.map(file, arena), this::entry);
      if (shards < 0) {
        throw new FileFormatException(file, "is damaged: the bundle has no header");
      }
      String stem = name.substring(0, name.length() - INDEX.length());
      var mapped = new HashMap<Integer, MemorySegment>();
      var tensors = new LinkedHashMap<String, MappedTensors.Stored>();
      entries.forEach(
          (key, entry) -> {
            Path shard =
                file.resolveSibling("%s.data-%05d-of-%05d".formatted(stem, entry.shard(), shards));
            MemorySegment bytes =
                mapped.computeIfAbsent(entry.shard(), i -> MappedTensors.map(shard, arena));
            if (entry.offset() < 0 || entry.offset() > bytes.byteSize() - entry.size()) {
              throw new FileFormatException(
                  shard,
                  "has %d bytes, too few for '%s' of %d bytes at offset %d; the file is cut off"
                      .formatted(bytes.byteSize(), key, entry.size(), entry.offset()));
            }
            tensors.put(
                key,
                new MappedTensors.Stored(
                    entry.info(), bytes.asSlice(entry.offset(), entry.size())));
          });
      return new TensorFlowBundle(
          file,
          new MappedTensors(file, arena, tensors, Map.of()),
          new ArrayList<>(entries.values()));
    }

    private void entry(String name, MemorySegment value) {
      var reader = new ProtoReader(file, value);
      if (name.isEmpty()) {
        header(reader);
        return;
      }
      long type = 0;
      long shard = 0;
      long offset = 0;
      long size = 0;
      int checksum = 0;
      List<Long> shape = List.of();
      while (reader.next()) {
        switch (reader.field()) {
          case 1 -> type = reader.number();
          case 2 -> shape = shape(name, reader.message());
          case 3 -> shard = reader.number();
          case 4 -> offset = reader.number();
          case 5 -> size = reader.number();
          case 6 -> checksum = reader.fixed32();
          case 7 ->
              throw new FileFormatException(
                  file, "'" + name + "' is stored in slices, which are not supported");
          default -> {}
        }
      }
      if (type == TEXT) {
        return;
      }
      @Nullable DType dtype = TYPES.get(type);
      if (dtype == null) {
        throw new FileFormatException(
            file, "'" + name + "' has the unsupported TensorFlow dtype number " + type);
      }
      if (shard < 0 || shard >= Math.max(shards, 0)) {
        throw new FileFormatException(
            file, "'%s' is in shard %d of %d".formatted(name, shard, shards));
      }
      var info = TensorInfo.in(file, name, dtype, shape);
      if (info.byteSize() != size) {
        throw new FileFormatException(
            file, "'%s' takes %d bytes, the index says %d".formatted(info, info.byteSize(), size));
      }
      if (entries.put(name, new Entry(info, (int) shard, offset, size, checksum)) != null) {
        throw new FileFormatException(file, "holds '" + name + "' twice");
      }
    }

    /** The entry with the empty key, first in the table: number of shards, byte order. */
    private void header(ProtoReader reader) {
      shards = 0;
      while (reader.next()) {
        switch (reader.field()) {
          case 1 -> shards = reader.number();
          case 2 -> {
            if (reader.number() != 0) {
              throw new FileFormatException(file, "holds big-endian numbers, not supported");
            }
          }
          default -> {}
        }
      }
      if (shards < 0 || shards > 99_999) {
        throw new FileFormatException(file, "is damaged: the bundle has " + shards + " shards");
      }
    }

    private List<Long> shape(String name, ProtoReader reader) {
      var dimensions = new ArrayList<Long>();
      while (reader.next()) {
        if (reader.field() == 2) {
          long size = 0;
          ProtoReader dimension = reader.message();
          while (dimension.next()) {
            if (dimension.field() == 1) {
              size = dimension.number();
            }
          }
          if (dimensions.size() == TensorInfo.MAX_RANK) {
            throw reader.error("'" + name + "' has too many dimensions");
          }
          dimensions.add(size);
        } else if (reader.field() == 3 && reader.number() != 0) {
          throw new FileFormatException(file, "'" + name + "' has no known shape");
        }
      }
      return dimensions;
    }
  }
}
