package io.trimtab.cli;

import io.trimtab.delta.Delta;
import io.trimtab.delta.lora.LoraConversion;
import io.trimtab.delta.lora.LoraReport;
import io.trimtab.delta.registry.EntryNotes;
import io.trimtab.hub.ModelDirectory;
import io.trimtab.model.Model;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
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

/** {@code trimtab delta convert}: any delta that changes weights as a LoRA. */
@Command(
    name = "convert",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    description = {
      "Write a delta as the nearest LoRA, of one rank or of a share of the energy.",
      "The energy is the share of the squared singular values that each layer's LoRA holds."
    })
final class DeltaConvertCommand implements Callable<Integer> {
  private static final int USUAL_RANK = 8;

  @Spec private CommandSpec spec;
  @Mixin private CommonOptions common;
  @Mixin private RegistryOptions registry;
  @Mixin private NoteOptions notes;

  @Parameters(paramLabel = "DELTA", description = "A directory, a run's directory, a name or id.")
  private String delta;

  @Option(names = "--out", required = true, paramLabel = "DIR", description = "A new directory.")
  private Path out;

  @Option(
      names = "--model",
      paramLabel = "MODEL",
      description = "The base (default: the one the delta names).")
  private @Nullable String model;

  @Option(names = "--rank", paramLabel = "R", description = "The rank (default: 8).")
  private @Nullable Integer rank;

  @Option(
      names = "--energy",
      paramLabel = "SHARE",
      description = "At each layer the lowest rank that holds this share, such as 0.95.")
  private @Nullable Double energy;

  @Override
  public Integer call() {
    if (rank != null && energy != null) {
      throw new CommandLine.ParameterException(
          spec.commandLine(), "found --rank together with --energy, expected one of them");
    }
    notes.check();
    DeltaOutput.checkFree(out);
    DeltaSource source = registry.find(delta);
    common.startEngine();
    String name = model == null ? source.base() : model;
    ModelDirectory files = common.find(name);
    try (Model base = Model.build(name, files.config(), files.tensors(), common.options());
        Delta loaded = source.load(base)) {
      LoraConversion.Converted converted =
          energy == null
              ? LoraConversion.toRank(loaded, rank == null ? USUAL_RANK : rank)
              : LoraConversion.toEnergy(loaded, energy);
      Map<String, Object> result = new LinkedHashMap<>();
      try (Delta lora = converted.delta()) {
        EntryNotes known =
            EntryNotes.NONE
                .withParent(new EntryNotes.Parent(source.called(), "converted", 1))
                .withLicence(source.notes().licence());
        DeltaOutput.write(
            DeltaOutput.peft(), lora, out, source, known, notes, registry.open(), result);
        result.put("parameters", lora.count());
      }
      show(converted.layers(), result);
      common.result(result);
    }
    return 0;
  }

  private void show(List<LoraReport> layers, Map<String, Object> result) {
    PrintWriter words = common.words();
    for (LoraReport layer : layers) {
      words.printf(
          Locale.ROOT,
          "%-60s rank %3d  energy %.4f  distance %.4f%n",
          layer.path(),
          layer.rank(),
          layer.energy(),
          layer.distance());
    }
    double least = layers.stream().mapToDouble(LoraReport::energy).min().orElse(1);
    words.printf(Locale.ROOT, "energy at least %.4f; the LoRA is in %s%n", least, out);
    words.flush();
    result.put("least_energy", least);
    result.put("layers", layers.stream().map(DeltaJson::layer).toList());
  }
}
