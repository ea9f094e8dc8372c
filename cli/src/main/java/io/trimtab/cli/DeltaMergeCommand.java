package io.trimtab.cli;

import io.trimtab.delta.Delta;
import io.trimtab.delta.lora.LoraMerge;
import io.trimtab.delta.lora.LoraReport;
import io.trimtab.delta.merged.LogitsDifference;
import io.trimtab.delta.merged.MergedDirectory;
import io.trimtab.delta.registry.EntryNotes;
import io.trimtab.hub.ModelDirectory;
import io.trimtab.hub.Tokenizer;
import io.trimtab.model.Model;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
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

/** {@code trimtab delta merge}: deltas into their model, or several LoRAs into one. */
@Command(
    name = "merge",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    sortOptions = false,
    description = {
      "Build a delta into its model and write that as a directory in the Hugging Face layout.",
      "Several LoRAs are merged into one first; --into delta writes that LoRA and no model."
    })
final class DeltaMergeCommand implements Callable<Integer> {
  /** What is written. */
  enum Into {
    /** A whole model. */
    model,
    /** One LoRA. */
    delta
  }

  @Spec private CommandSpec spec;
  @Mixin private CommonOptions common;
  @Mixin private RegistryOptions registry;
  @Mixin private NoteOptions notes;
  @Mixin private MergeOptions merging;

  @Parameters(
      paramLabel = "DELTA",
      arity = "1..*",
      description = "Directories, runs' directories, names or ids.")
  private List<String> deltas = new ArrayList<>();

  @Option(names = "--out", required = true, paramLabel = "DIR", description = "A new directory.")
  private Path out;

  @Option(
      names = "--into",
      paramLabel = "WHAT",
      defaultValue = "model",
      description = "model or delta (default: ${DEFAULT-VALUE}).")
  private Into into;

  @Option(
      names = "--model",
      paramLabel = "MODEL",
      description = "The base (default: the one the first delta names).")
  private @Nullable String model;

  @Option(
      names = "--text",
      paramLabel = "TEXT",
      description =
          "Compare the results of the merged model, read back, with the unmerged ones on this text;"
              + " may be repeated.")
  private List<String> texts = new ArrayList<>();

  @Override
  public Integer call() {
    boolean several = deltas.size() > 1;
    if (into == Into.delta && !several) {
      throw misused("found one delta to merge into a delta, expected several; see delta export");
    }
    if (into == Into.model && notes.named()) {
      throw misused("found --name for a merged model, expected it with --into delta");
    }
    if (into == Into.delta && !texts.isEmpty()) {
      throw misused("found --text with --into delta, expected it with a merged model");
    }
    if (!several && merging.given()) {
      throw misused("found settings for merging several LoRAs, expected more than one");
    }
    double[] weights = merging.weights(deltas.size());
    notes.check();
    DeltaOutput.checkFree(out);
    List<DeltaSource> sources = deltas.stream().map(registry::find).toList();
    Map<String, Object> result = new LinkedHashMap<>();
    common.startEngine();
    String name = model == null ? sources.getFirst().base() : model;
    ModelDirectory files = common.find(name);
    try (Model base = Model.build(name, files.config(), files.tensors(), common.options())) {
      List<Delta> loaded = new ArrayList<>();
      try {
        sources.forEach(source -> loaded.add(source.load(base)));
        if (several) {
          LoraMerge.Merged one = merging.merge(loaded, weights, common.seed());
          loaded.add(one.delta());
          show(one.layers(), result);
        }
        if (into == Into.model) {
          writeModel(base, files, loaded.getLast(), result);
        } else {
          EntryNotes known = EntryNotes.NONE;
          for (int i = 0; i < sources.size(); i++) {
            known =
                known.withParent(
                    new EntryNotes.Parent(sources.get(i).called(), "merged", weights[i]));
          }
          DeltaOutput.write(
              DeltaOutput.peft(),
              loaded.getLast(),
              out,
              sources.getFirst(),
              known,
              notes,
              registry.open(),
              result);
          common.words().println("the LoRA is in " + out);
        }
      } finally {
        loaded.forEach(Delta::close);
      }
    }
    common.words().flush();
    common.result(result);
    return 0;
  }

  private CommandLine.ParameterException misused(String message) {
    return new CommandLine.ParameterException(spec.commandLine(), message);
  }

  private void writeModel(
      Model base, ModelDirectory files, Delta delta, Map<String, Object> result) {
    MergedDirectory.Written written = MergedDirectory.write(delta, files, out);
    PrintWriter words = common.words();
    words.printf("changed %d tensors; the model is in %s%n", written.changed().size(), out);
    result.put("out", out.toString());
    result.put("changed_tensors", written.changed().size());
    if (!texts.isEmpty()) {
      ModelDirectory again = ModelDirectory.of(out);
      try (Tokenizer tokenizer = files.tokenizer();
          Model merged =
              Model.build(out.toString(), again.config(), again.tensors(), common.options())) {
        LogitsDifference gap = LogitsDifference.of(base, delta.patches(), merged, tokenizer, texts);
        words.printf(
            Locale.ROOT,
            "largest difference of merged and unmerged results %.3g, of numbers up to %.3g%n",
            gap.largest(),
            gap.scale());
        result.put("largest_difference", gap.largest());
        result.put("largest_result", gap.scale());
      }
    }
  }

  private void show(List<LoraReport> layers, Map<String, Object> result) {
    double least = layers.stream().mapToDouble(LoraReport::energy).min().orElse(1);
    double farthest = layers.stream().mapToDouble(LoraReport::distance).max().orElse(0);
    common
        .words()
        .printf(
            Locale.ROOT,
            "merged %d layers; energy at least %.4f, distance from the weighted sum at most %.4f%n",
            layers.size(),
            least,
            farthest);
    result.put("least_energy", least);
    result.put("largest_distance", farthest);
    result.put("layers", layers.stream().map(DeltaJson::layer).toList());
  }
}
