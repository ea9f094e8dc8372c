package io.trimtab.delta.registry;

import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaMethods;
import io.trimtab.hub.AtomicFiles;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

/**
 * The page that people see first where a delta is shared: {@code README.md} with the front matter
 * that model hubs read, and then plain words.
 */
public final class ModelCard {
  /** The file's name. */
  public static final String FILE = "README.md";

  private ModelCard() {}

  /** The card of an entry. */
  public static String of(DeltaEntry entry) {
    StringBuilder out = new StringBuilder();
    frontMatter(entry, out);
    EntryNotes notes = entry.notes();
    String base = entry.base().isEmpty() ? "a model that it does not name" : entry.base();
    out.append("# ").append(title(entry)).append("\n\n");
    if (!notes.text().isEmpty()) {
      out.append(notes.text().strip()).append("\n\n");
    }
    out.append("This is no model of its own: it is ")
        .append(size(entry.manifest().bytes()))
        .append(" of changes to ")
        .append(base)
        .append(", and works on exactly that model.\n");
    method(entry.method())
        .ifPresent(
            method ->
                out.append("\nMethod: ")
                    .append(method.name())
                    .append(" (")
                    .append(method.paper())
                    .append(").\n"));
    figures(notes, out);
    origin(entry, out);
    use(entry, out);
    return out.toString();
  }

  /**
   * Writes the card beside a delta's files, over an earlier one.
   *
   * @return the file
   * @throws RegistryException where there are no such files, or it cannot be written
   */
  public static Path write(Path directory, EntryNotes notes) {
    Path file = directory.resolve(FILE);
    try {
      AtomicFiles.write(file, of(DeltaRegistry.describe(directory, notes)));
      return file;
    } catch (IOException e) {
      throw new RegistryException("cannot write " + file + ": " + e, e);
    }
  }

  private static void frontMatter(DeltaEntry entry, StringBuilder out) {
    boolean peft = isPeft(entry);
    out.append("---\n");
    if (isHubId(entry.base())) {
      out.append("base_model: ").append(quoted(entry.base())).append('\n');
    }
    out.append("library_name: ").append(peft ? "peft" : "trimtab").append('\n');
    if (!entry.notes().licence().isEmpty()) {
      out.append("license: ").append(quoted(entry.notes().licence())).append('\n');
    }
    out.append("tags:\n");
    TreeSet<String> tags = new TreeSet<>(List.of("adapter", "trimtab"));
    method(entry.method()).ifPresent(method -> tags.add(method.name()));
    if (isHubId(entry.base())) {
      tags.add("base_model:adapter:" + entry.base());
    }
    tags.forEach(tag -> out.append("- ").append(quoted(tag)).append('\n'));
    out.append("---\n\n");
  }

  private static boolean isPeft(DeltaEntry entry) {
    return !entry.method().startsWith("TRIMTAB_");
  }

  /** Hubs refuse a card whose base is a directory of somebody's machine. */
  private static boolean isHubId(String base) {
    return base.matches("[A-Za-z0-9][A-Za-z0-9_.-]*(/[A-Za-z0-9][A-Za-z0-9_.-]*)?");
  }

  private static String title(DeltaEntry entry) {
    String what = method(entry.method()).map(DeltaMethod::name).orElse(entry.method());
    return entry.base().isEmpty() ? what : what + " for " + entry.base();
  }

  private static Optional<DeltaMethod> method(String peftType) {
    return DeltaMethods.all().stream()
        .filter(method -> method.peftTypes().contains(peftType))
        .findFirst();
  }

  private static void figures(EntryNotes notes, StringBuilder out) {
    if (!notes.metrics().isEmpty()) {
      out.append("\n## Figures\n\n| figure | value |\n|---|---|\n");
      for (Map.Entry<String, Double> one : notes.metrics().entrySet()) {
        String value = String.format(Locale.ROOT, "%.4g", one.getValue());
        out.append("| ").append(one.getKey()).append(" | ").append(value).append(" |\n");
      }
    }
  }

  private static void origin(DeltaEntry entry, StringBuilder out) {
    List<String> lines = new ArrayList<>();
    RunFacts run = entry.notes().run();
    if (run != null) {
      lines.add("a training run whose `run.json` has the SHA-256 `" + run.sha256() + "`");
      run.seeds().forEach((name, seed) -> lines.add("the seed " + seed + " (" + name + ")"));
    }
    for (EntryNotes.Parent parent : entry.notes().parents()) {
      lines.add(
          String.format(
              Locale.ROOT,
              "%s from `%s`, with the weight %s",
              parent.how(),
              parent.delta(),
              parent.weight()));
    }
    if (!entry.fingerprints().isEmpty()) {
      lines.add(
          "the hashes of "
              + entry.fingerprints().size()
              + " tensors of its base are in its file: another base is refused");
    }
    if (!lines.isEmpty()) {
      out.append("\n## Where it comes from\n\n");
      lines.forEach(line -> out.append("- ").append(line).append('\n'));
    }
    out.append("\nIts files' hash is `").append(entry.id()).append("`.\n");
  }

  private static void use(DeltaEntry entry, StringBuilder out) {
    out.append("\n## Use\n\n```java\ntry (LanguageModel model = Models.open(")
        .append('"')
        .append(entry.base().isEmpty() ? "BASE" : entry.base().replace("\"", "\\\""))
        .append("\");\n    Delta delta = DeltaFiles.load(Path.of(\"DIRECTORY\"), model.model())) {")
        .append("\n  // delta.patches() in a Pass, or delta.merge()\n}\n```\n");
    if (isPeft(entry)) {
      out.append("\nThe files are in the layout of Hugging Face PEFT.\n");
    }
  }

  private static String size(long bytes) {
    return bytes < 1_000_000
        ? String.format(Locale.ROOT, "%.1f KB", bytes / 1e3)
        : String.format(Locale.ROOT, "%.1f MB", bytes / 1e6);
  }

  /** A text that YAML would read otherwise goes between quotes. */
  private static String quoted(String text) {
    return text.matches("[A-Za-z][A-Za-z0-9._/-]*") && !text.matches("(?i)true|false|null|yes|no")
        ? text
        : '"' + text.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", " ") + '"';
  }
}
