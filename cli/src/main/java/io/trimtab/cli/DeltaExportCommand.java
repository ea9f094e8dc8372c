package io.trimtab.cli;

import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaFormat;
import io.trimtab.delta.DeltaFormats;
import io.trimtab.delta.registry.EntryNotes;
import io.trimtab.hub.ModelDirectory;
import io.trimtab.model.Model;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code trimtab delta export}: a delta in the layout of another library. */
@Command(
    name = "export",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    description = "Write a delta in the layout of another library, with a model card beside it.")
final class DeltaExportCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private CommonOptions common;
  @Mixin private RegistryOptions registry;
  @Mixin private NoteOptions notes;

  @Parameters(paramLabel = "DELTA", description = "A directory, a run's directory, a name or id.")
  private String delta;

  @Option(names = "--out", required = true, paramLabel = "DIR", description = "A new directory.")
  private Path out;

  @Option(
      names = "--format",
      paramLabel = "NAME",
      defaultValue = "peft",
      completionCandidates = Formats.class,
      description = "One of ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private String format;

  @Option(
      names = "--model",
      paramLabel = "MODEL",
      description = "The base (default: the one the delta names).")
  private @Nullable String model;

  /** The names of the layouts that are written. */
  static final class Formats implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return DeltaFormats.all().stream()
          .filter(DeltaFormat::isWritten)
          .map(DeltaFormat::name)
          .iterator();
    }
  }

  @Override
  public Integer call() {
    DeltaFormat chosen = DeltaFormats.named(format);
    if (notes.named() && !format.equals(DeltaOutput.PEFT)) {
      throw new CommandLine.ParameterException(
          spec.commandLine(),
          "found --name with --format " + format + ", expected peft: the registry keeps that");
    }
    notes.check();
    DeltaOutput.checkFree(out);
    DeltaSource source = registry.find(delta);
    common.startEngine();
    String name = model == null ? source.base() : model;
    ModelDirectory files = common.find(name);
    Map<String, Object> result = new LinkedHashMap<>();
    try (Model base = Model.build(name, files.config(), files.tensors(), common.options());
        Delta loaded = source.load(base)) {
      EntryNotes known = source.notes();
      DeltaOutput.write(chosen, loaded, out, source, known, notes, registry.open(), result);
      result.put("parameters", loaded.count());
    }
    common.words().println(out);
    common.words().flush();
    common.result(result);
    return 0;
  }
}
