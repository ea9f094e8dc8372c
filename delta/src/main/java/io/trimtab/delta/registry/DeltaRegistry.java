package io.trimtab.delta.registry;

import io.trimtab.hub.AtomicFiles;
import io.trimtab.hub.HubOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/**
 * The deltas of this machine, in a directory:
 *
 * <table>
 *   <caption>What is where</caption>
 *   <tr><td>{@code objects/ID/}</td><td>a delta's files as they came, {@code entry.json} and
 *   {@code README.md}; ID is the SHA-256 of the files' manifest</td></tr>
 *   <tr><td>{@code names/NAME/TAG}</td><td>the id that a name points to</td></tr>
 *   <tr><td>{@code lock}</td><td>held while notes or names change</td></tr>
 * </table>
 *
 * <p>A delta is there whole or not at all, and the same files are kept once. Any number of threads
 * and processes may read and write at the same time.
 */
public final class DeltaRegistry {
  /** The tag that a name without one means. */
  public static final String LATEST = "latest";

  private static final int SHORTEST_ID = 6;

  private final Path root;
  private final Path objects;
  private final Path names;

  private DeltaRegistry(Path root) {
    this.root = root;
    objects = root.resolve("objects");
    names = root.resolve("names");
  }

  /** The registry in a directory, which need not exist yet. */
  public static DeltaRegistry at(Path root) {
    return new DeltaRegistry(root);
  }

  /** The user's own: {@code deltas} in the directory of {@code TRIMTAB_HOME}. */
  public static DeltaRegistry local() {
    return at(HubOptions.defaults().cache().resolve("deltas"));
  }

  /** Where it is. */
  public Path root() {
    return root;
  }

  /**
   * Puts a delta's files in. Where the same files are there already, what the notes say is added to
   * what was known.
   *
   * @param directory a delta's files, such as the {@code delta/} of a run
   * @throws RegistryException where there are none, or they cannot be copied
   * @throws io.trimtab.hub.HubException for a damaged {@code adapter_config.json}
   */
  public DeltaEntry add(Path directory, EntryNotes notes) {
    try {
      Path part = RegistryFiles.newSibling(objects.resolve("new"));
      try {
        for (Path file : DeltaManifest.files(directory)) {
          RegistryFiles.copy(file, part.resolve(DeltaManifest.name(directory, file)));
        }
        // Of the copies: what is copied may be changing at this moment.
        DeltaEntry entry = describe(part, notes);
        writeNotes(part, entry);
        return RegistryFiles.moveDirectory(part, directory(entry.id()))
            ? entry
            : describe(entry.id(), known -> known.and(notes));
      } finally {
        RegistryFiles.delete(part);
      }
    } catch (IOException e) {
      throw new RegistryException("cannot put " + directory + " into " + root + ": " + e, e);
    }
  }

  /** What an entry of a directory's files would say, without putting them in. */
  public static DeltaEntry describe(Path directory, EntryNotes notes) {
    Instant now = Instant.now().truncatedTo(ChronoUnit.SECONDS);
    return DeltaEntry.of(directory, DeltaManifest.of(directory), notes, now);
  }

  private static void writeNotes(Path directory, DeltaEntry entry) throws IOException {
    AtomicFiles.write(directory.resolve(ModelCard.FILE), ModelCard.of(entry));
    AtomicFiles.write(directory.resolve(EntryJson.FILE), EntryJson.write(entry));
  }

  /**
   * Changes what is known of a delta.
   *
   * @param id its full id
   */
  public DeltaEntry describe(String id, UnaryOperator<EntryNotes> change) {
    return RegistryFiles.locked(
        root,
        () -> {
          DeltaEntry entry = read(id);
          DeltaEntry changed = entry.with(change.apply(entry.notes()));
          writeNotes(directory(id), changed);
          return changed;
        });
  }

  /** Lets a name point to a delta; one that it pointed to before loses it. */
  public void name(DeltaName name, String id) {
    read(id);
    RegistryFiles.locked(
        root,
        () -> {
          Path file = file(name);
          Files.createDirectories(names.resolve(name.name()));
          AtomicFiles.write(file, id + "\n");
          return id;
        });
  }

  private Path file(DeltaName name) {
    return names.resolve(name.name()).resolve(name.tag());
  }

  /** Where a delta's files are. */
  public Path directory(String id) {
    return objects.resolve(id);
  }

  /** All deltas, the newest first. */
  public List<DeltaEntry> list() {
    List<DeltaEntry> all = new ArrayList<>();
    for (String id : ids()) {
      all.add(read(id));
    }
    all.sort(Comparator.comparing(DeltaEntry::created).reversed().thenComparing(DeltaEntry::id));
    return List.copyOf(all);
  }

  /** All names with the ids that they point to. */
  public SortedMap<DeltaName, String> names() {
    SortedMap<DeltaName, String> all = new TreeMap<>();
    for (String name : children(names)) {
      for (String tag : children(names.resolve(name))) {
        DeltaName each = new DeltaName(name, tag);
        pointer(each).ifPresent(id -> all.put(each, id));
      }
    }
    return Collections.unmodifiableSortedMap(all);
  }

  /**
   * The delta of a name, or of an id or its first digits, at least six.
   *
   * @throws RegistryException where there is none, or several begin so
   */
  public DeltaEntry find(String text) {
    if (DeltaName.fits(text)) {
      Optional<String> id = pointer(DeltaName.parse(text));
      if (id.isPresent()) {
        return read(id.get());
      }
    }
    List<String> hits =
        text.matches("[0-9a-f]{" + SHORTEST_ID + ",64}")
            ? ids().stream().filter(id -> id.startsWith(text)).toList()
            : List.of();
    if (hits.size() == 1) {
      return read(hits.getFirst());
    }
    throw new RegistryException(
        hits.isEmpty()
            ? "found no delta \"" + text + "\" in " + root + ", expected " + expected()
            : "found " + hits.size() + " deltas that begin with " + text + ", give more digits");
  }

  private String expected() {
    List<String> known = names().keySet().stream().map(DeltaName::toString).toList();
    return known.isEmpty()
        ? "a directory or an id; no delta has a name yet"
        : "a directory, an id, or one of " + String.join(", ", known);
  }

  private Optional<String> pointer(DeltaName name) {
    try {
      Path file = file(name);
      return Files.isRegularFile(file)
          ? Optional.of(Files.readString(file).strip())
          : Optional.empty();
    } catch (IOException e) {
      throw new RegistryException("cannot read the name " + name + " in " + root + ": " + e, e);
    }
  }

  private DeltaEntry read(String id) {
    Path file = directory(id).resolve(EntryJson.FILE);
    if (!Files.isRegularFile(file)) {
      throw new RegistryException("found no delta of the id " + id + " in " + root);
    }
    DeltaEntry entry = EntryJson.read(file);
    if (!entry.id().equals(id)) {
      throw new RegistryException(
          "found in " + file + " the files of another delta, " + entry.id() + "; put it in anew");
    }
    return entry;
  }

  private List<String> ids() {
    return children(objects).stream().filter(id -> id.matches("[0-9a-f]{64}")).toList();
  }

  /** What is in a directory, without what is on its way into it. */
  private static List<String> children(Path directory) {
    if (!Files.isDirectory(directory)) {
      return List.of();
    }
    try (Stream<Path> list = Files.list(directory)) {
      return list.map(path -> String.valueOf(path.getFileName()))
          .filter(name -> !name.startsWith("."))
          .sorted()
          .toList();
    } catch (IOException e) {
      throw new RegistryException("cannot read " + directory + ": " + e, e);
    }
  }
}
