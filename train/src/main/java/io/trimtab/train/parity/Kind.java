package io.trimtab.train.parity;

import io.trimtab.tensor.DType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** One kind of recorded case: what its folder holds, and how it is computed again. */
interface Kind {
  /** The folder that holds the cases of this kind, such as {@code hf}. */
  String folder();

  /** Files that every case of this kind has, and no case of another kind has all of. */
  List<String> files();

  /**
   * Computes a case again.
   *
   * @param type what the model's weights and activations are in
   * @throws RuntimeException where it cannot; typed ones for what is not supported
   */
  Errors check(Path directory, DType type);

  /** Whether a folder holds a case of this kind, whatever it is called. */
  default boolean holds(Path directory) {
    return files().stream().allMatch(file -> Files.isRegularFile(directory.resolve(file)));
  }
}
