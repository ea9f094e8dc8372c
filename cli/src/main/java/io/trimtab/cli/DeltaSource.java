package io.trimtab.cli;

import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaFiles;
import io.trimtab.delta.DeltaFormats;
import io.trimtab.delta.registry.DeltaEntry;
import io.trimtab.delta.registry.DeltaRegistry;
import io.trimtab.delta.registry.EntryNotes;
import io.trimtab.delta.registry.RunFacts;
import io.trimtab.model.Model;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A delta as people name it: a directory with its files, a run's directory, or a name or id of the
 * registry.
 *
 * @param directory where its files are
 * @param entry what the registry knows of it, or null for a directory that is not from there
 */
record DeltaSource(Path directory, @Nullable DeltaEntry entry) {
  static DeltaSource of(String text, DeltaRegistry registry) {
    Path given = Path.of(text);
    Optional<Path> found = locate(given);
    if (found.isPresent()) {
      return new DeltaSource(found.get(), null);
    }
    if (Files.isDirectory(given)) {
      throw new DeltaException(
          "found no " + DeltaFiles.CONFIG + " in " + given + ", expected a delta's files");
    }
    DeltaEntry entry = registry.find(text);
    return new DeltaSource(registry.directory(entry.id()), entry);
  }

  /** The directory of a delta's files of any layout, given it or that of its run. */
  static Optional<Path> locate(Path directory) {
    for (Path path : List.of(directory, directory.resolve("delta"))) {
      if (Files.isRegularFile(path.resolve(DeltaFiles.CONFIG))
          || DeltaFormats.all().stream().anyMatch(format -> format.recognises(path))) {
        return Optional.of(path);
      }
    }
    return Optional.empty();
  }

  /** What later deltas call it as a parent. */
  String called() {
    return entry == null ? directory.toString() : entry.id();
  }

  /** What is known of it. */
  EntryNotes notes() {
    return entry == null
        ? RunFacts.around(directory).map(EntryNotes.NONE::withRun).orElse(EntryNotes.NONE)
        : entry.notes();
  }

  /** The name of its base. */
  String base() {
    return DeltaFormats.of(directory).base(directory);
  }

  Delta load(Model model) {
    return DeltaFormats.load(directory, model);
  }
}
