package io.trimtab.cli;

import io.trimtab.delta.Address;
import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaFiles;
import io.trimtab.delta.DeltaFormats;
import io.trimtab.delta.Movement;
import io.trimtab.hub.AtomicFiles;
import io.trimtab.hub.ModelDirectory;
import io.trimtab.model.Held;
import io.trimtab.model.Model;
import io.trimtab.tensor.Rng;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code trimtab inspect}: what is in a model, and what an address hits or a delta tunes there. */
@Command(
    name = "inspect",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    description = {
      "Show a model's tree of layers.",
      "With --address: what it hits; with --delta: what would be tuned; with --adapter: how far"
          + " each layer moved."
    })
final class InspectCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private CommonOptions common;
  @Mixin private WeightOptions weights;
  @Mixin private DeltaOptions deltaOptions;

  @Option(
      names = "--model",
      paramLabel = "MODEL",
      description = "The model (default with --adapter: the one it names).")
  private @Nullable String model;

  @Option(
      names = "--address",
      paramLabel = "ADDRESS",
      description =
          "Show which linear layers and embeddings it hits, such as \"@attn layers=0-3\".")
  private @Nullable String address;

  @Option(
      names = "--adapter",
      paramLabel = "DIR",
      description = "A tuned delta: a run's directory, or one of PEFT, AdapterHub or OpenDelta.")
  private @Nullable Path adapter;

  @Option(names = "--html", paramLabel = "FILE", description = "Write the tree as a page, too.")
  private @Nullable Path html;

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
    Path trained = adapter == null ? null : locate(adapter);
    String name = model == null ? baseOf(trained) : model;
    if (trained != null && deltaOptions.given()) {
      throw misused("found --adapter together with a new delta, expected one of them");
    }
    Address parsed = address == null ? null : Address.parse(address);
    common.startEngine();
    ModelDirectory found = common.find(name);
    // Without a tokenizer, which nothing here reads.
    try (Model base = Model.build(name, found.config(), found.tensors(), weights.options(common))) {
      Delta delta = delta(base, trained);
      try {
        show(name, base, delta, trained != null, parsed == null ? null : parsed.dryRun(base));
      } finally {
        if (delta != null) {
          delta.close();
        }
      }
    }
    return 0;
  }

  private CommandLine.ParameterException misused(String message) {
    return new CommandLine.ParameterException(spec.commandLine(), message);
  }

  private void atLeastOne(String option, int value) {
    if (value < 1) {
      throw misused("found " + option + " " + value + ", expected at least 1");
    }
  }

  private static Path locate(Path directory) {
    return DeltaSource.locate(directory)
        .orElseThrow(
            () ->
                new DeltaException(
                    "found no "
                        + DeltaFiles.CONFIG
                        + " in "
                        + directory
                        + ", expected a tuned delta's files"));
  }

  private String baseOf(@Nullable Path trained) {
    if (trained == null) {
      throw misused("found neither --model nor --adapter, expected one of them");
    }
    return DeltaFormats.of(trained).base(trained);
  }

  private @Nullable Delta delta(Model base, @Nullable Path trained) {
    if (trained != null) {
      return DeltaFormats.load(trained, base);
    }
    return deltaOptions.given()
        ? deltaOptions.spec(base).attach(base, Rng.seeded(common.seed()))
        : null;
  }

  private void show(
      String name,
      Model base,
      @Nullable Delta delta,
      boolean trained,
      Address.@Nullable Resolution hits) {
    ModelTree tree = ModelTree.of(base);
    Map<String, Object> result = new LinkedHashMap<>();
    Map<String, String> facts = new LinkedHashMap<>();
    PrintWriter words = common.words();
    long parameters = tree.whole().first().count();
    long bytes = tree.whole().first().bytes();
    result.put("model", name);
    result.put("model_type", base.config().modelType());
    result.put("parameters", parameters);
    result.put("bytes", bytes);
    Map<String, Long> forms = Held.bytesByForm(base.held().values());
    result.put("bytes_by_form", forms);
    facts.put("Numbers", InspectHtml.whole(parameters));
    facts.put("Weights", InspectHtml.bytes(bytes));
    List<Movement> movements = delta != null && trained ? Movement.of(delta) : List.of();
    if (hits != null) {
      tree.mark(hits);
      words.print(hits.report());
      words.println();
      words.flush();
      checkHits(hits);
      result.put("address", hits.address().toString());
      result.put("hits", hits.found().stream().map(Object::toString).toList());
      facts.put("Places hit", InspectHtml.whole(hits.found().size()));
    }
    if (delta != null) {
      tree.mark(delta);
      tree.mark(movements);
    }
    ModelTreeText.print(tree, words);
    words.printf(
        Locale.ROOT,
        "%n%,d parameters, %.1f MB as %s%n",
        parameters,
        bytes / 1e6,
        forms.size() == 1
            ? base.dtype()
            : forms.entrySet().stream()
                .map(
                    one -> one.getKey() + String.format(Locale.ROOT, " %.1f", one.getValue() / 1e6))
                .collect(Collectors.joining(" + ")));
    if (delta != null) {
      describe(delta, base, trained, words, result, facts);
    }
    if (trained) {
      result.put("movement", movements.stream().map(InspectCommand::fields).toList());
    }
    if (html != null) {
      String what =
          Stream.of(
                  base.config().modelType() + " as " + base.dtype(),
                  delta == null ? "" : "delta: " + delta.spec().method().name(),
                  hits == null ? "" : "address: " + hits.address())
              .filter(text -> !text.isEmpty())
              .reduce((a, b) -> a + " · " + b)
              .orElseThrow();
      write(html, InspectHtml.render(name, what, facts, tree, movements));
      words.printf("the page is %s%n", html);
      result.put("html", html.toString());
    }
    words.flush();
    common.result(result);
  }

  /** The report has said what misses; an address with misses is an error all the same. */
  private static void checkHits(Address.Resolution hits) {
    if (!hits.missed().isEmpty()) {
      Address.Miss first = hits.missed().getFirst();
      throw new DeltaException.NoMatch(
          "found nothing in "
              + hits.model()
              + " for "
              + first.part()
              + " of "
              + hits.address()
              + ", expected that every part hits something; "
              + first.hint());
    }
  }

  private void describe(
      Delta delta,
      Model base,
      boolean trained,
      PrintWriter words,
      Map<String, Object> result,
      Map<String, String> facts) {
    long parameters = base.held().values().stream().mapToLong(Held::elements).sum();
    List<String> layers = delta.parts().stream().map(ModelTree::layerOf).distinct().toList();
    String method = delta.spec().method().name();
    words.printf(
        Locale.ROOT,
        "tuned by %s: %,d parameters (%.3f %%) on %d layers; everything else is frozen%n",
        method,
        delta.count(),
        100.0 * delta.count() / parameters,
        layers.size());
    result.put("delta", method);
    result.put("tuned_parameters", delta.count());
    result.put("frozen_parameters", parameters);
    result.put("tuned_layers", layers);
    facts.put("Tuned numbers", InspectHtml.whole(delta.count()));
    facts.put(
        "Share", String.format(Locale.ROOT, "%.3f\u00A0%%", 100.0 * delta.count() / parameters));
    facts.put("Layers touched", InspectHtml.whole(layers.size()));
    if (!trained) {
      MemoryEstimate memory = MemoryEstimate.of(base, delta, batch, length);
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
      result.put("predicted_memory_bytes", memory.total());
      facts.put("Memory to train", InspectHtml.bytes(memory.total()));
    }
  }

  private static Map<String, Object> fields(Movement one) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("tensor", one.tensor());
    fields.put("change", one.change());
    if (one.merged()) {
      fields.put("weight", one.weight());
      fields.put("relative", one.relative());
    }
    return fields;
  }

  private static void write(Path file, String text) {
    Path directory = file.toAbsolutePath().getParent();
    try {
      if (directory != null) {
        Files.createDirectories(directory);
      }
      AtomicFiles.write(file, text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
