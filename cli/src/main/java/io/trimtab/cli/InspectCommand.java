package io.trimtab.cli;

import io.trimtab.delta.Delta;
import io.trimtab.delta.Part;
import io.trimtab.model.LanguageModel;
import io.trimtab.model.Layer;
import io.trimtab.model.Model;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Tensor;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code trimtab inspect}: what is in a model, and what a delta would tune. */
@Command(
    name = "inspect",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    description = "Show a model's tree of layers and, with --delta, what would be tuned.")
final class InspectCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private CommonOptions common;
  @Mixin private DeltaOptions deltaOptions;

  @Option(names = "--model", required = true, paramLabel = "MODEL", description = "The model.")
  private String model;

  @Option(
      names = "--batch",
      defaultValue = "32",
      paramLabel = "N",
      description = "Rows of a training batch, for predicted memory (default: ${DEFAULT-VALUE}).")
  private int batch;

  @Option(
      names = "--length",
      defaultValue = "64",
      paramLabel = "N",
      description = "Tokens of a row, for predicted memory (default: ${DEFAULT-VALUE}).")
  private int length;

  @Override
  public Integer call() {
    atLeastOne("--batch", batch);
    atLeastOne("--length", length);
    try (LanguageModel opened = common.open(model)) {
      Model base = opened.model();
      Delta delta =
          deltaOptions.given()
              ? deltaOptions.spec(base).attach(base, Rng.seeded(common.seed()))
              : null;
      try {
        show(base, delta);
      } finally {
        if (delta != null) {
          delta.close();
        }
      }
    }
    return 0;
  }

  private void atLeastOne(String option, int value) {
    if (value < 1) {
      throw new CommandLine.ParameterException(
          spec.commandLine(), "found " + option + " " + value + ", expected at least 1");
    }
  }

  private void show(Model base, @Nullable Delta delta) {
    Map<String, Long> tuned = tunedByPath(delta);
    ModelTree tree = new ModelTree();
    Set<String> seen = new LinkedHashSet<>();
    for (Layer layer : base.root().walk().toList()) {
      layer
          .tensors()
          .forEach(
              (name, tensor) -> {
                if (seen.add(name)) {
                  tree.add(name, tensor.shape(), tensor.elements());
                }
              });
    }
    tuned.forEach(tree::mark);
    PrintWriter words = common.words();
    tree.print(words);
    long parameters = base.tensors().values().stream().mapToLong(Tensor::elements).sum();
    long bytes = base.tensors().values().stream().mapToLong(Tensor::byteSize).sum();
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("model", model);
    result.put("model_type", base.config().modelType());
    result.put("parameters", parameters);
    result.put("bytes", bytes);
    words.printf(
        Locale.ROOT, "%n%,d parameters, %.1f MB as %s%n", parameters, bytes / 1e6, base.dtype());
    if (delta != null) {
      MemoryEstimate memory = MemoryEstimate.of(base, delta, batch, length);
      words.printf(
          Locale.ROOT,
          "tuned by %s: %,d parameters (%.3f %%) on %d layers; everything else is frozen%n",
          delta.spec().method().name(),
          delta.count(),
          100.0 * delta.count() / parameters,
          tuned.size());
      words.printf(
          Locale.ROOT,
          "predicted memory for batches of %d rows of %d tokens: weights %.0f + delta with"
              + " optimizer %.0f + activations %.0f = %.0f MB, and about 300 MB for the engine%n",
          batch,
          length,
          memory.weights() / 1e6,
          memory.optimizer() / 1e6,
          memory.activations() / 1e6,
          memory.total() / 1e6);
      result.put("delta", delta.spec().method().name());
      result.put("tuned_parameters", delta.count());
      result.put("frozen_parameters", parameters);
      result.put("tuned_layers", List.copyOf(tuned.keySet()));
      result.put("predicted_memory_bytes", memory.total());
    }
    words.flush();
    common.result(result);
  }

  /** How many new numbers each touched layer gets. */
  private static Map<String, Long> tunedByPath(@Nullable Delta delta) {
    Map<String, Long> byPath = new LinkedHashMap<>();
    if (delta != null) {
      for (Part part : delta.parts()) {
        String tensor = part.baseTensors().getFirst();
        long count =
            part.parameters().stream().map(Parameter::value).mapToLong(Tensor::elements).sum();
        byPath.merge(tensor.substring(0, tensor.lastIndexOf('.')), count, Long::sum);
      }
    }
    return byPath;
  }
}
