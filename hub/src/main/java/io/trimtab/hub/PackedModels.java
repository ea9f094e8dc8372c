package io.trimtab.hub;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.stream.Stream;

/** Finds the format of files that hold a whole model. */
final class PackedModels {
  private PackedModels() {}

  /** The model in {@code file}; empty where no format recognizes it. */
  static Optional<PackedModel> open(Path file) {
    return format(file).map(format -> format.open(file));
  }

  /** The files of a directory that hold a whole model each, sorted. */
  static List<Path> in(Path directory) {
    try (Stream<Path> files = Files.list(directory)) {
      return files
          .filter(Files::isRegularFile)
          .filter(file -> format(file).isPresent())
          .sorted()
          .toList();
    } catch (IOException e) {
      throw new HubException.Disk("cannot list " + directory + ": " + e, e);
    }
  }

  private static Optional<PackedModel.Format> format(Path file) {
    return ServiceLoader.load(PackedModel.Format.class, PackedModel.class.getClassLoader()).stream()
        .map(ServiceLoader.Provider::get)
        .filter(format -> format.recognizes(file))
        .findFirst();
  }
}
