package io.trimtab.hub;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;
import java.util.SequencedSet;
import java.util.function.Function;

/** What all formats come down to once their directory is read: slices of mapped files. */
final class MappedTensors implements TensorFile {

  /** A tensor and where its elements are. */
  record Stored(TensorInfo info, MemorySegment bytes) {}

  private final Path file;
  private final Arena arena;
  private final SequencedMap<String, Stored> tensors;
  private final Map<String, String> metadata;

  /** Takes over the arena, which the mapped slices belong to. */
  MappedTensors(
      Path file, Arena arena, SequencedMap<String, Stored> tensors, Map<String, String> metadata) {
    this.file = file;
    this.arena = arena;
    this.tensors = Collections.unmodifiableSequencedMap(new LinkedHashMap<>(tensors));
    this.metadata = Collections.unmodifiableMap(new LinkedHashMap<>(metadata));
  }

  /** Opens a file in an arena of its own, which is closed again if that fails. */
  @SuppressWarnings("MustBeClosedChecker") // the arena goes to the opened file, which closes it
  static <T extends TensorFile> T inNewArena(Function<Arena, T> opener) {
    Arena arena = Arena.ofShared();
    try {
      return opener.apply(arena);
    } catch (RuntimeException e) {
      arena.close();
      throw e;
    }
  }

  /** Maps a whole file, read-only. */
  static MemorySegment map(Path file, Arena arena) {
    requireFile(file);
    try (var channel = FileChannel.open(file, StandardOpenOption.READ)) {
      return channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
    } catch (IOException e) {
      throw new FileFormatException(file, "cannot be read (" + e.getMessage() + ")", e);
    }
  }

  /** Says plainly what is wrong where a file is missing. */
  static void requireFile(Path file) {
    if (!Files.isRegularFile(file)) {
      throw new FileFormatException(
          file, Files.exists(file) ? "is not a regular file" : "there is no such file");
    }
  }

  @Override
  public SequencedSet<String> names() {
    return tensors.sequencedKeySet();
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
          file + ": holds no tensor '" + name + "'" + NearMisses.hint(name, tensors.keySet()));
    }
    return stored;
  }

  @Override
  public Map<String, String> metadata() {
    return metadata;
  }

  @Override
  public void close() {
    if (arena.scope().isAlive()) {
      arena.close();
    }
  }
}
