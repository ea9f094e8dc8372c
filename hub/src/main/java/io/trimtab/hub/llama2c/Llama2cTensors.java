package io.trimtab.hub.llama2c;

import io.trimtab.hub.FileFormatException;
import io.trimtab.hub.TensorFile;
import io.trimtab.hub.TensorInfo;
import io.trimtab.hub.TensorNotFoundException;
import io.trimtab.tensor.DType;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;
import java.util.SequencedSet;

/**
 * The weights of a llama2.c checkpoint under the names of Hugging Face. Its rotary embedding turns
 * neighbours of a head, Hugging Face's the two halves; rows of queries and keys are put in that
 * order.
 */
final class Llama2cTensors implements TensorFile {
  private record Stored(TensorInfo info, MemorySegment bytes) {}

  private final Path path;
  private final Arena arena;
  private final SequencedMap<String, Stored> tensors;

  private Llama2cTensors(Path path, Arena arena, SequencedMap<String, Stored> tensors) {
    this.path = path;
    this.arena = arena;
    this.tensors = tensors;
  }

  @SuppressWarnings("MustBeClosedChecker") // the arena goes to the tensors, which close it
  static Llama2cTensors open(Path path, Llama2cCheckpoint checkpoint) {
    Arena arena = Arena.ofShared();
    try (var channel = FileChannel.open(path, StandardOpenOption.READ)) {
      MemorySegment file = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
      return new Llama2cTensors(path, arena, directory(file, arena, checkpoint));
    } catch (IOException e) {
      arena.close();
      throw new FileFormatException(path, "cannot be read (" + e.getMessage() + ")", e);
    } catch (RuntimeException e) {
      arena.close();
      throw e;
    }
  }

  private static SequencedMap<String, Stored> directory(
      MemorySegment file, Arena arena, Llama2cCheckpoint checkpoint) {
    SequencedMap<String, Stored> tensors = new LinkedHashMap<>();
    checkpoint
        .kinds()
        .forEach(
            (kind, offset) -> {
              for (int layer = 0; layer < kind.layers(); layer++) {
                String name = kind.name().replace("{n}", Integer.toString(layer));
                long[] shape =
                    kind.columns() == 0
                        ? new long[] {kind.rows()}
                        : new long[] {kind.rows(), kind.columns()};
                MemorySegment bytes = file.asSlice(offset + layer * kind.bytes(), kind.bytes());
                MemorySegment ordered =
                    kind.pairedHeads() == 0
                        ? bytes
                        : halved(bytes, kind.rows(), kind.pairedHeads(), arena).asReadOnly();
                tensors.put(name, new Stored(new TensorInfo(name, DType.F32, shape), ordered));
              }
            });
    return tensors;
  }

  /** Rows 0, 2, 4, … of each head first, then rows 1, 3, 5, …. */
  private static MemorySegment halved(MemorySegment bytes, int rows, int heads, Arena arena) {
    MemorySegment out = arena.allocate(bytes.byteSize(), Float.BYTES);
    long size = bytes.byteSize() / rows;
    int head = rows / heads;
    for (int row = 0; row < rows; row++) {
      int within = row % head;
      long from = row - within + 2L * (within % (head / 2)) + within / (head / 2);
      MemorySegment.copy(bytes, from * size, out, row * size, size);
    }
    return out;
  }

  @Override
  public SequencedSet<String> names() {
    return Collections.unmodifiableSequencedSet(tensors.sequencedKeySet());
  }

  @Override
  public TensorInfo info(String name) {
    return find(name).info();
  }

  @Override
  public MemorySegment bytes(String name) {
    return find(name).bytes();
  }

  private Stored find(String name) {
    Stored stored = tensors.get(name);
    if (stored == null) {
      throw new TensorNotFoundException(
          "%s: holds no tensor '%s' among its %d".formatted(path, name, tensors.size()));
    }
    return stored;
  }

  @Override
  public Map<String, String> metadata() {
    return Map.of("format", "llama2.c");
  }

  @Override
  public void close() {
    if (arena.scope().isAlive()) {
      arena.close();
    }
  }
}
