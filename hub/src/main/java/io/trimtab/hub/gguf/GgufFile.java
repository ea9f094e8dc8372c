package io.trimtab.hub.gguf;

import io.trimtab.hub.FileFormatException;
import io.trimtab.hub.blocks.BlockFormat;
import io.trimtab.hub.blocks.QuantizedTensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/**
 * A GGUF file, memory-mapped. Layout: {@code GGUF}, version, counts of tensors and of metadata
 * entries; the entries; name, dimensions, type and offset of each tensor; padding; the tensors.
 * Opening reads and checks all but the tensors' values. Any number of threads may read at once.
 */
public final class GgufFile implements AutoCloseable {
  static final int MAGIC = 'G' | 'G' << 8 | 'U' << 16 | 'F' << 24;
  static final String ALIGNMENT = "general.alignment";
  static final int DEFAULT_ALIGNMENT = 32;
  private static final int MAX_ALIGNMENT = 1 << 20;
  private static final int MAX_RANK = 4;

  /** A name's length, the number of dimensions, one of them, type and offset. */
  private static final int LEAST_TENSOR = 8 + 4 + 8 + 4 + 8;

  /** A key's length, the type and a value of one byte. */
  private static final int LEAST_ENTRY = 8 + 4 + 1;

  private final Path path;
  private final Arena arena;
  private final GgufMetadata metadata;
  private final SequencedMap<String, GgufTensor> tensors;

  private GgufFile(
      Path path, Arena arena, GgufMetadata metadata, SequencedMap<String, GgufTensor> tensors) {
    this.path = path;
    this.arena = arena;
    this.metadata = metadata;
    this.tensors = Collections.unmodifiableSequencedMap(tensors);
  }

  /**
   * Opens a file of any size and checks its whole directory.
   *
   * @throws FileFormatException if the file is missing, damaged, of another version, or holds a
   *     tensor in a format that {@link BlockFormat} does not have
   */
  @SuppressWarnings("MustBeClosedChecker") // the arena goes to the opened file, which closes it
  public static GgufFile open(Path path) {
    if (!Files.isRegularFile(path)) {
      throw new FileFormatException(
          path, Files.exists(path) ? "is not a regular file" : "there is no such file");
    }
    Arena arena = Arena.ofShared();
    try (var channel = FileChannel.open(path, StandardOpenOption.READ)) {
      MemorySegment bytes = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
      return read(path, bytes, arena);
    } catch (IOException e) {
      arena.close();
      throw new FileFormatException(path, "cannot be read (" + e.getMessage() + ")", e);
    } catch (RuntimeException e) {
      arena.close();
      throw e;
    }
  }

  private static GgufFile read(Path path, MemorySegment bytes, Arena arena) {
    var cursor = new GgufCursor(path, bytes);
    if (bytes.byteSize() < 24 || cursor.integer("the magic number") != MAGIC) {
      throw new FileFormatException(
          path, "does not start as a GGUF file does, or is cut off; is it one?");
    }
    int version = cursor.integer("the version");
    if (version != 2 && version != 3) {
      boolean swapped = Integer.reverseBytes(version) == 2 || Integer.reverseBytes(version) == 3;
      throw new FileFormatException(
          path,
          swapped
              ? "is a big-endian GGUF file; expected a little-endian one, convert it anew"
              : "is of GGUF version %s; expected 2 or 3, convert it anew"
                  .formatted(Integer.toUnsignedString(version)));
    }
    int tensorCount = cursor.count(LEAST_TENSOR, "tensors");
    int entries = cursor.count(LEAST_ENTRY, "metadata entries");
    Map<String, GgufValue> values = new LinkedHashMap<>();
    for (int i = 0; i < entries; i++) {
      String key = cursor.text("a metadata key");
      GgufType type = cursor.type("metadata '" + key + "'");
      if (values.put(key, cursor.value(type, "metadata '" + key + "'")) != null) {
        throw new FileFormatException(path, "has the metadata key '" + key + "' twice");
      }
    }
    GgufMetadata metadata = new GgufMetadata(path, values);
    List<Entry> directory = new ArrayList<>();
    for (int i = 0; i < tensorCount; i++) {
      directory.add(entry(path, cursor));
    }
    long alignment = alignment(path, metadata);
    long start = (cursor.position() + alignment - 1) / alignment * alignment;
    if (tensorCount > 0 && start > bytes.byteSize()) {
      throw cursor.error("it ends before its tensors");
    }
    long room = Math.max(0, bytes.byteSize() - start);
    checkPlaces(path, directory, alignment, room);
    var tensors = new LinkedHashMap<String, GgufTensor>();
    for (Entry entry : directory) {
      MemorySegment blocks = bytes.asSlice(start + entry.offset(), entry.size());
      var packed = new QuantizedTensor(entry.format(), entry.shape(), blocks);
      if (tensors.put(entry.name(), new GgufTensor(entry.name(), packed)) != null) {
        throw new FileFormatException(path, "has the tensor '" + entry.name() + "' twice");
      }
    }
    return new GgufFile(path, arena, metadata, tensors);
  }

  /** A line of the directory; offset in bytes from the first tensor on. */
  @SuppressWarnings("ArrayRecordComponent") // read once
  private record Entry(String name, BlockFormat format, long[] shape, long offset, long size) {}

  private static Entry entry(Path path, GgufCursor cursor) {
    String name = cursor.text("a tensor's name");
    String what = "tensor '" + name + "'";
    int rank = cursor.integer("dimensions of " + what);
    if (rank < 1 || rank > MAX_RANK) {
      throw new FileFormatException(
          path,
          "%s has %s dimensions; expected 1 to %d"
              .formatted(what, Integer.toUnsignedString(rank), MAX_RANK));
    }
    long[] shape = new long[rank];
    long elements = 1;
    for (int i = rank - 1; i >= 0; i--) {
      shape[i] = cursor.wide("dimensions of " + what);
      if (shape[i] < 1) {
        throw new FileFormatException(
            path, "%s has a dimension of %s".formatted(what, Long.toUnsignedString(shape[i])));
      }
      try {
        elements = Math.multiplyExact(elements, shape[i]);
      } catch (ArithmeticException e) {
        throw new FileFormatException(path, what + " has more values than 63 bits can count", e);
      }
    }
    int type = cursor.integer("type of " + what);
    BlockFormat format =
        BlockFormat.ofGgmlType(type)
            .orElseThrow(() -> new FileFormatException(path, unsupported(what, type)));
    if (shape[rank - 1] % format.blockSize() != 0) {
      throw new FileFormatException(
          path,
          "%s has rows of %d values, which are no whole number of %s blocks of %d"
              .formatted(what, shape[rank - 1], format, format.blockSize()));
    }
    long offset = cursor.wide("offset of " + what);
    try {
      return new Entry(name, format, shape, offset, format.bytes(elements));
    } catch (IllegalArgumentException e) {
      throw new FileFormatException(path, what + ": " + e.getMessage(), e);
    }
  }

  private static String unsupported(String what, int type) {
    return "%s has the block format %s, which is not supported; expected one of %s"
        .formatted(what, GgmlTypes.name(type), List.of(BlockFormat.values()));
  }

  private static long alignment(Path path, GgufMetadata metadata) {
    long alignment = metadata.whole(ALIGNMENT, DEFAULT_ALIGNMENT);
    if (alignment < 1 || alignment > MAX_ALIGNMENT || Long.bitCount(alignment) != 1) {
      throw new FileFormatException(
          path,
          "has %s %d; expected a power of two up to %d"
              .formatted(ALIGNMENT, alignment, MAX_ALIGNMENT));
    }
    return alignment;
  }

  /** Every tensor lies within the file, at a multiple of the alignment, and on no other. */
  private static void checkPlaces(Path path, List<Entry> entries, long alignment, long room) {
    long end = 0;
    String before = "";
    for (Entry entry : entries.stream().sorted(Comparator.comparingLong(Entry::offset)).toList()) {
      String what = "tensor '" + entry.name() + "'";
      if (entry.offset() < 0 || entry.offset() % alignment != 0) {
        throw new FileFormatException(
            path,
            "%s starts at offset %s; expected a multiple of %d"
                .formatted(what, Long.toUnsignedString(entry.offset()), alignment));
      }
      if (entry.offset() > room || entry.size() > room - entry.offset()) {
        throw new FileFormatException(
            path,
            "is cut off: %s takes %d bytes from offset %d on, and %d bytes of tensors are there"
                .formatted(what, entry.size(), entry.offset(), room));
      }
      if (entry.offset() < end) {
        throw new FileFormatException(path, what + " overlaps " + before);
      }
      end = entry.offset() + entry.size();
      before = what;
    }
  }

  /** The file. */
  public Path path() {
    return path;
  }

  /** All metadata. */
  public GgufMetadata metadata() {
    return metadata;
  }

  /** All tensors by name, in the order of the file. */
  public SequencedMap<String, GgufTensor> tensors() {
    return tensors;
  }

  /** Unmaps the file; the segments given out become invalid. Closing again does nothing. */
  @Override
  public void close() {
    if (arena.scope().isAlive()) {
      arena.close();
    }
  }

  @Override
  public String toString() {
    return "GgufFile[%s, %d tensors]".formatted(path, tensors.size());
  }
}
