package io.trimtab.cli;

import io.trimtab.delta.registry.DeltaEntry;
import io.trimtab.delta.registry.DeltaName;
import io.trimtab.delta.registry.DeltaRegistry;
import io.trimtab.delta.registry.EntryNotes;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What to write down of a delta in the registry. */
final class NoteOptions {
  @Option(
      names = "--name",
      paramLabel = "NAME[:TAG]",
      description = "Keep it in the registry under this name.")
  private @Nullable String name;

  @Option(
      names = "--metric",
      paramLabel = "NAME=NUMBER",
      description = "A figure for its model card, such as test.accuracy=0.93; may be repeated.")
  private Map<String, Double> metrics = new LinkedHashMap<>();

  @Option(
      names = "--licence",
      paramLabel = "ID",
      defaultValue = "",
      description = "Its licence as hubs write it, such as apache-2.0.")
  private String licence;

  @Option(
      names = "--about",
      paramLabel = "TEXT",
      defaultValue = "",
      description = "What people should know of it.")
  private String about;

  /** These notes on top of others. */
  EntryNotes over(EntryNotes known) {
    EntryNotes notes = known.withMetrics(metrics);
    notes = licence.isEmpty() ? notes : notes.withLicence(licence);
    return about.isEmpty() ? notes : notes.withText(about);
  }

  /** Whether a name was given. */
  boolean named() {
    return name != null;
  }

  /** The name given, checked, so that a wrong one does not wait for the work. */
  void check() {
    if (name != null) {
      DeltaName.parse(name);
    }
  }

  /** Puts a delta into the registry, and names it where a name was given. */
  DeltaEntry add(DeltaRegistry registry, Path directory, EntryNotes known) {
    DeltaEntry entry = registry.add(directory, over(known));
    if (name != null) {
      registry.name(DeltaName.parse(name), entry.id());
    }
    return entry;
  }
}
