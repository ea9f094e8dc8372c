package io.trimtab.hub;

import io.trimtab.tensor.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;

/**
 * Reads and writes safetensors files, the format of Hugging Face checkpoints: a JSON directory and
 * then the plain elements, nothing that could be executed.
 */
public final class Safetensors {

  private Safetensors() {}

  /**
   * Opens one file of any size and checks its whole directory.
   *
   * @throws FileFormatException if the file is missing, damaged, or has a type that {@link DType}
   *     does not have
   */
  public static TensorFile open(Path file) {
    return MappedTensors.inNewArena(
        arena -> {
          TensorDirectory directory = read(file, arena);
          return new MappedTensors(file, arena, directory.tensors(), directory.metadata());
        });
  }

  private static TensorDirectory read(Path file, Arena arena) {
    MemorySegment bytes = MappedTensors.map(file, arena);
    SafetensorsHeader header = SafetensorsHeader.read(file, bytes);
    return new TensorDirectory(header.tensors(bytes), header.metadata());
  }

  /**
   * Opens a checkpoint that is split into several files, by its {@code
   * model.safetensors.index.json}. All shards are opened and compared with the index; their names
   * are in the order of the index. The metadata are those of the index and of the shards; the
   * earlier wins.
   *
   * @throws FileFormatException if the index is damaged or names a file outside its directory, or
   *     if the index and the shards do not hold the same tensors, each once
   */
  public static TensorFile openSharded(Path indexJson) {
    return SafetensorsIndex.open(indexJson, Safetensors::read);
  }

  /**
   * Writes one file, tensor by tensor, so that it is whole or not there at all; replaces an
   * existing one. The tensors are laid out as the reference implementation does it: wide types
   * first, names in byte order, header padded to 8 bytes. Byte for byte the same input gives the
   * same file.
   *
   * @throws FileFormatException if a name is reserved or the file cannot be written
   */
  public static void write(
      Path file, SequencedMap<String, TensorData> tensors, Map<String, String> metadata) {
    var sources = new LinkedHashMap<String, SafetensorsWriter.Source>();
    tensors.forEach((name, data) -> sources.put(name, new Given(data)));
    SafetensorsWriter.write(file, sources, metadata);
  }

  private record Given(TensorData data) implements SafetensorsWriter.Source {
    @Override
    public DType dtype() {
      return data.dtype();
    }

    @Override
    public long[] shape() {
      return data.shape();
    }

    @Override
    public MemorySegment bytes(Arena scratch) {
      return data.bytes();
    }
  }
}
