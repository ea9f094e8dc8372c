package io.trimtab.delta.registry;

import io.trimtab.delta.DeltaFiles;
import io.trimtab.hub.ModelConfig;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Collections;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * A delta in the registry.
 *
 * @param manifest its files, whose hash is its {@link #id}
 * @param method the {@code peft_type} of its settings
 * @param base the name of the model that it was tuned on; empty where none is recorded
 * @param fingerprints the hash of each tensor of the base that it was tuned for; empty where
 *     another library wrote it
 * @param notes what is known beyond that
 * @param created when it was put in
 */
public record DeltaEntry(
    DeltaManifest manifest,
    String method,
    String base,
    SortedMap<String, String> fingerprints,
    EntryNotes notes,
    Instant created) {
  /** Keeps a copy. */
  public DeltaEntry {
    fingerprints = Collections.unmodifiableSortedMap(new TreeMap<>(fingerprints));
  }

  /** What a directory of a delta's files says of itself. */
  static DeltaEntry of(Path directory, DeltaManifest manifest, EntryNotes notes, Instant created) {
    ModelConfig config = ModelConfig.read(directory.resolve(DeltaFiles.CONFIG));
    return new DeltaEntry(
        manifest,
        config.text("peft_type"),
        base(config),
        BaseFingerprints.recorded(directory),
        notes,
        created);
  }

  /** The base that settings name; a composition may name it in its parts alone. */
  private static String base(ModelConfig config) {
    Set<String> names = new TreeSet<>();
    names.add(config.text("base_model_name_or_path", ""));
    if (config.isList("children")) {
      config.sections("children").forEach(child -> names.add(base(child)));
    }
    names.remove("");
    return String.join(", ", names);
  }

  /** The hash of its manifest. */
  public String id() {
    return manifest.id();
  }

  /** The same with other notes. */
  public DeltaEntry with(EntryNotes other) {
    return new DeltaEntry(manifest, method, base, fingerprints, other, created);
  }
}
