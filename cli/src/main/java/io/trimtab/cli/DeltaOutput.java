package io.trimtab.cli;

import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaFormat;
import io.trimtab.delta.DeltaFormats;
import io.trimtab.delta.registry.DeltaRegistry;
import io.trimtab.delta.registry.EntryNotes;
import io.trimtab.delta.registry.ModelCard;
import io.trimtab.prompt.TaskFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;

/** Writes a delta that was made of others: files, task, model card, and the registry's entry. */
final class DeltaOutput {
  /** The layout that the registry and its model cards are for. */
  static final String PEFT = "peft";

  private DeltaOutput() {}

  /** Hugging Face PEFT's directories. */
  static DeltaFormat peft() {
    return DeltaFormats.named(PEFT);
  }

  /** Refuses a directory that holds something, before work is done for it. */
  static void checkFree(Path out) {
    try {
      if (Files.exists(out)) {
        if (Files.isDirectory(out)) {
          try (Stream<Path> files = Files.list(out)) {
            if (files.findAny().isEmpty()) {
              return;
            }
          }
        }
        throw new DeltaException(
            "found something at " + out + ", expected a new or empty directory; name another");
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Writes it.
   *
   * @param task whose {@code task.json} goes along, where it has one
   */
  static void write(
      DeltaFormat format,
      Delta delta,
      Path out,
      DeltaSource task,
      EntryNotes known,
      NoteOptions notes,
      DeltaRegistry registry,
      Map<String, Object> result) {
    format.save(delta, out);
    Path file = task.directory().resolve(TaskFile.NAME);
    try {
      if (Files.isRegularFile(file)) {
        Files.copy(file, out.resolve(TaskFile.NAME));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    result.put("out", out.toString());
    result.put("format", format.name());
    if (!format.name().equals(PEFT)) {
      return;
    }
    result.put("card", ModelCard.write(out, notes.over(known)).toString());
    if (notes.named()) {
      result.put("id", notes.add(registry, out, known).id());
    }
  }
}
