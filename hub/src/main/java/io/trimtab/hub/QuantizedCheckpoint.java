package io.trimtab.hub;

import io.trimtab.hub.blocks.PackedTensor;
import io.trimtab.tensor.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.SequencedSet;
import java.util.Set;

/**
 * A checkpoint whose linear layers are quantized, as if they were not: their codes, scales and
 * tables are one tensor in single precision, under the layer's name. Values are unpacked at the
 * first call and kept until {@link #release} or {@link #close()}.
 */
final class QuantizedCheckpoint implements TensorFile {
  private final Path path;
  private final TensorFile file;
  private final SequencedMap<String, TensorInfo> infos;
  private final Map<String, PackedTensor> packed;
  private final Arena arena;
  private final Map<String, Arena> open = new HashMap<>();
  private final Map<String, MemorySegment> values = new HashMap<>();

  private QuantizedCheckpoint(
      Path path,
      TensorFile file,
      SequencedMap<String, TensorInfo> infos,
      Map<String, PackedTensor> packed,
      Arena arena) {
    this.path = path;
    this.file = file;
    this.infos = infos;
    this.packed = packed;
    this.arena = arena;
  }

  /**
   * Takes a checkpoint over and closes it in the end, also where this fails.
   *
   * @param path what errors name
   * @throws FileFormatException where the parts of a layer do not belong together
   */
  @SuppressWarnings("MustBeClosedChecker") // goes to what is returned, which closes it
  static TensorFile of(Path path, TensorFile file) {
    Arena arena = Arena.ofShared();
    try {
      Map<String, PackedTensor> packed = new LinkedHashMap<>();
      Set<String> parts = new HashSet<>();
      QuantizedLayers.find(path, file, arena, packed, parts);
      SequencedMap<String, TensorInfo> infos = new LinkedHashMap<>();
      for (String name : file.names()) {
        PackedTensor one = packed.get(name);
        if (one != null) {
          infos.put(name, new TensorInfo(name, DType.F32, one.shape()));
        } else if (!parts.contains(name)) {
          infos.put(name, file.info(name));
        }
      }
      packed.forEach(
          (name, one) -> infos.putIfAbsent(name, new TensorInfo(name, DType.F32, one.shape())));
      return new QuantizedCheckpoint(path, file, infos, packed, arena);
    } catch (RuntimeException e) {
      arena.close();
      file.close();
      throw e;
    }
  }

  @Override
  public SequencedSet<String> names() {
    return Collections.unmodifiableSequencedSet(infos.sequencedKeySet());
  }

  @Override
  public TensorInfo info(String name) {
    TensorInfo info = infos.get(name);
    if (info == null) {
      throw new TensorNotFoundException(
          path + ": holds no tensor '" + name + "'" + NearMisses.hint(name, infos.keySet()));
    }
    return info;
  }

  @Override
  @SuppressWarnings("MustBeClosedChecker") // closed by release or close
  public synchronized MemorySegment bytes(String name) {
    TensorInfo info = info(name);
    PackedTensor one = packed.get(name);
    if (one == null) {
      return file.bytes(name);
    }
    if (!arena.scope().isAlive()) {
      throw new IllegalStateException(path + " is closed");
    }
    MemorySegment known = values.get(name);
    if (known == null) {
      Arena own = Arena.ofShared();
      open.put(name, own);
      MemorySegment plain = own.allocate(info.byteSize(), Long.BYTES);
      one.dequantize(0, info.shape()[0], plain);
      known = plain.asReadOnly();
      values.put(name, known);
    }
    return known;
  }

  @Override
  public Optional<PackedTensor> packed(String name) {
    info(name);
    return Optional.ofNullable(packed.get(name));
  }

  @Override
  public boolean hasQuantizedLayers() {
    return true;
  }

  @Override
  public synchronized void release(String name) {
    info(name);
    values.remove(name);
    Arena own = open.remove(name);
    if (own != null) {
      own.close();
    } else {
      file.release(name);
    }
  }

  @Override
  public Map<String, String> metadata() {
    return file.metadata();
  }

  @Override
  public synchronized void close() {
    values.clear();
    open.values().forEach(Arena::close);
    open.clear();
    if (arena.scope().isAlive()) {
      arena.close();
    }
    file.close();
  }
}
