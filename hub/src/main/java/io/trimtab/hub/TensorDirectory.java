package io.trimtab.hub;

import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.Map;
import java.util.SequencedMap;

/**
 * What one file of a checkpoint holds.
 *
 * @param tensors the tensors in the order of the file
 * @param metadata the free text next to them
 */
record TensorDirectory(
    SequencedMap<String, MappedTensors.Stored> tensors, Map<String, String> metadata) {

  /** Reads the directory of a file of some format. */
  @FunctionalInterface
  interface Reader {
    /** Maps the file into the arena and checks its directory. */
    TensorDirectory read(Path file, Arena arena);
  }
}
