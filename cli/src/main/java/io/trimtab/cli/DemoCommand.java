package io.trimtab.cli;

import io.trimtab.delta.lora.Lora;
import io.trimtab.model.LanguageModel;
import io.trimtab.prompt.Classification;
import io.trimtab.prompt.Cloze;
import io.trimtab.prompt.Template;
import io.trimtab.prompt.Tuned;
import io.trimtab.prompt.Tuner;
import io.trimtab.prompt.Verbalizer;
import io.trimtab.train.ProgressBar;
import io.trimtab.train.Table;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code trimtab demo}: the main job from start to end, on data that comes with Trimtab. */
@Command(
    name = "demo",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    description = {
      "Tune BERT-base to tell six kinds of support tickets apart from 16 examples of each,",
      "score it against the untuned model, and classify what you type."
    })
final class DemoCommand implements Callable<Integer> {
  private static final String DATA = "demo/";
  private static final String TEMPLATE = "{text} The customer has a question about {mask}.";

  @Mixin private CommonOptions common;

  @Option(
      names = "--model",
      paramLabel = "MODEL",
      defaultValue = "bert-base-uncased",
      description = "The model to tune (default: ${DEFAULT-VALUE}).")
  private String model;

  @Option(
      names = "--shots",
      paramLabel = "K",
      defaultValue = "16",
      description = "Examples of each intent to learn from (default: ${DEFAULT-VALUE}).")
  private int shots;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "Where to keep the run (default: a new folder under the temporary ones).")
  private @Nullable Path out;

  @Option(
      names = "--text",
      paramLabel = "TEXT",
      description = "A message to classify instead of asking for one.")
  private @Nullable String text;

  @Override
  public Integer call() {
    PrintWriter words = common.words();
    try {
      Path folder = Files.createTempDirectory("trimtab-demo");
      Path kept = out == null ? folder.resolve("run") : out;
      Table train = table("train.csv", folder);
      Table test = table("test.csv", folder);
      Cloze cloze = Cloze.of(Template.parse(TEMPLATE), Verbalizer.read(copy("labels.txt", folder)));
      words.printf(
          "Support tickets, %d intents: %s%n",
          cloze.verbalizer().words().size(),
          String.join(", ", cloze.verbalizer().words().keySet()));
      words.printf(
          "Learning from %d messages of each; testing on %d others.%n", shots, test.rowCount());
      words.flush();
      try (LanguageModel opened = common.open(model);
          Tuned tuned = tune(opened, cloze, train, test, kept)) {
        TuneResult.show(tuned, common, kept);
        ask(tuned, words);
      }
      return 0;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Tuned tune(LanguageModel opened, Cloze cloze, Table train, Table test, Path kept) {
    return Tuner.of(opened, cloze)
        .delta(Lora.rank(8).dropout(0.05))
        .epochs(12)
        .batch(16)
        .rate(1e-3)
        .seed(common.seed())
        .train(train, "text", "intent")
        .fewShot(shots)
        .test(test, "text", "intent")
        .into(kept)
        .progress(new ProgressBar(common.remarks(), common.terminal()))
        .run();
  }

  private void ask(Tuned tuned, PrintWriter words) throws IOException {
    String message = text;
    if (message == null && !common.json()) {
      words.print("\nType a message of your own (or just Enter): ");
      words.flush();
      message =
          new BufferedReader(new InputStreamReader(System.in, Charset.defaultCharset())).readLine();
    }
    if (message == null || message.isBlank()) {
      words.println();
      words.flush();
      return;
    }
    Classification said = tuned.predict(message);
    said.probabilities().entrySet().stream()
        .sorted((a, b) -> Double.compare(b.getValue(), a.getValue()))
        .forEach(e -> words.printf(Locale.ROOT, "%6.3f  %s%n", e.getValue(), e.getKey()));
    words.flush();
  }

  private static Table table(String name, Path folder) {
    return Table.read(copy(name, folder));
  }

  private static Path copy(String name, Path folder) {
    try (InputStream in = DemoCommand.class.getResourceAsStream(DATA + name)) {
      if (in == null) {
        throw new IllegalStateException("the jar holds no " + DATA + name);
      }
      Path file = folder.resolve(name);
      Files.copy(in, file, StandardCopyOption.REPLACE_EXISTING);
      return file;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
