package io.trimtab.prompt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.trimtab.delta.Address;
import io.trimtab.delta.lora.Lora;
import io.trimtab.hub.Hub;
import io.trimtab.hub.HubException;
import io.trimtab.hub.HubOptions;
import io.trimtab.hub.ModelDirectory;
import io.trimtab.model.LanguageModel;
import io.trimtab.model.Models;
import io.trimtab.model.Patches;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Engine;
import io.trimtab.train.Example;
import io.trimtab.train.MeanSd;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.function.Function;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/**
 * LoRA on BERT-base over real data: the figures of the README. Takes an hour on two cores; each
 * method can be run by itself. Skips where the data or the cached model is missing.
 */
@Tag("proof")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class RealDataTest {
  private static final Path DATA =
      Path.of(System.getProperty("trimtab.data", "../../shared/data")).normalize();
  private static final Lora LORA = Lora.rank(8).dropout(0.05);

  private static final Lora EVERYWHERE = Lora.rank(8).dropout(0.1).on(Address.ALL_LINEAR);

  private @Nullable LanguageModel opened;

  private record Task(String name, Cloze cloze, List<Example> train, List<Example> test) {}

  @BeforeAll
  void open() {
    assumeThat(DATA).as("the folder of real data sets").exists();
    Engine.setThreads(Engine.physicalCores());
    try {
      opened = open(DType.F32);
    } catch (HubException e) {
      assumeThat(e.getMessage()).as("bert-base-uncased in the cache").isEmpty();
    }
  }

  private static LanguageModel open(DType type) {
    ModelDirectory files =
        Hub.with(HubOptions.defaults().withOffline(true)).find("bert-base-uncased");
    return Models.open("bert-base-uncased", files, type, Device.CPU);
  }

  @AfterAll
  void close() {
    if (opened != null) {
      opened.close();
    }
  }

  private LanguageModel bert() {
    return Objects.requireNonNull(opened, "opened before all tests");
  }

  /** Of three seeds the one that is best on the development data is tested. */
  @Test
  void sst2WithAllData() throws IOException {
    Task task = sst2();
    List<Example> dev = lines("sst2/stsa.binary.dev", StandardCharsets.UTF_8, RealDataTest::sst2);
    double best = 0;
    double accuracy = 0;
    try (LanguageModel bert = open(DType.BF16)) {
      for (long seed : new long[] {3, 4, 5}) {
        try (Tuned tuned =
            Tuner.of(bert, task.cloze())
                .delta(EVERYWHERE)
                .epochs(3)
                .batch(32)
                .rate(3e-4)
                .seed(seed)
                .train(task.train())
                .dev(dev)
                .run()) {
          double onDev = tuned.evaluate(dev).accuracy();
          double onTest = tuned.evaluate(task.test()).accuracy();
          note("SST-2, seed %d: dev %.4f, test %.4f".formatted(seed, onDev, onTest));
          if (onDev > best) {
            best = onDev;
            accuracy = onTest;
          }
        }
      }
    }
    report("SST-2, all data", untuned(task), new double[] {accuracy});
    assertThat(accuracy).isGreaterThanOrEqualTo(0.91);
  }

  @Test
  void trecWithAllData() throws IOException {
    Task task = trec();
    double accuracy = tuned(task, 0, 4, 32, 1e-3, 1);
    double untuned = untuned(task);
    report("TREC, all data", untuned, new double[] {accuracy});
    assertThat(accuracy).isGreaterThan(untuned);
  }

  @Test
  void sst2With16OfEachClass() throws IOException {
    checkShots(sst2(), 16);
  }

  @Test
  void trecWithFewOfEachClass() throws IOException {
    checkShots(trec(), 4, 16);
  }

  @Test
  void subjWithFewOfEachClass() throws IOException {
    checkShots(subj(), 4, 16);
  }

  /** For every K, the mean accuracy of five seeds must beat the untuned model's. */
  private void checkShots(Task task, int... shots) {
    double untuned = untuned(task);
    for (int k : shots) {
      double[] scores =
          LongStream.rangeClosed(1, 5)
              .mapToDouble(seed -> tuned(task, k, 20, 8, 1e-3, seed))
              .toArray();
      report(task.name() + ", " + k + " of each class", untuned, scores);
      assertThat(MeanSd.of(scores).mean()).isGreaterThan(untuned);
    }
  }

  private double untuned(Task task) {
    return new ClozeClassifier(bert(), task.cloze())
        .evaluate(task.name(), task.test(), Patches.NONE)
        .accuracy();
  }

  private double tuned(Task task, int shots, int epochs, int batch, double rate, long seed) {
    try (Tuned tuned =
        Tuner.of(bert(), task.cloze())
            .delta(LORA)
            .epochs(epochs)
            .batch(batch)
            .rate(rate)
            .seed(seed)
            .train(task.train())
            .fewShot(shots)
            .run()) {
      double accuracy = tuned.evaluate(task.test()).accuracy();
      note(task.name() + ", seed " + seed + ": tuned " + percent(new double[] {accuracy}));
      return accuracy;
    }
  }

  private static void report(String what, double untuned, double[] tuned) {
    note(
        String.format(
            Locale.ROOT, "%s: untuned %.1f, tuned %s", what, 100 * untuned, percent(tuned)));
  }

  /** Figures go to a file that outlives the run. */
  private static void note(String line) {
    Path file = Path.of("target", "real-data.txt");
    try {
      Files.writeString(file, line + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private static String percent(double[] scores) {
    return scores.length == 1
        ? String.format(Locale.ROOT, "%.1f", 100 * scores[0])
        : MeanSd.of(scores).percent();
  }

  private static Task sst2() throws IOException {
    return new Task(
        "SST-2",
        Cloze.template("{text} it was {mask} .")
            .words("negative", "terrible")
            .words("positive", "great"),
        lines("sst2/stsa.binary.train", StandardCharsets.UTF_8, RealDataTest::sst2),
        lines("sst2/stsa.binary.test", StandardCharsets.UTF_8, RealDataTest::sst2));
  }

  private static Example sst2(String line) {
    return new Example(line.substring(2), line.charAt(0) == '1' ? "positive" : "negative");
  }

  private static Task trec() throws IOException {
    Function<String, Example> parse =
        line ->
            new Example(
                line.substring(line.indexOf(' ') + 1), line.substring(0, line.indexOf(':')));
    return new Task(
        "TREC",
        Cloze.template("{text} This question is about a {mask} .")
            .words("ABBR", "abbreviation")
            .words("DESC", "description")
            .words("ENTY", "thing")
            .words("HUM", "person")
            .words("LOC", "place")
            .words("NUM", "number"),
        lines("trec/train.txt", StandardCharsets.ISO_8859_1, parse),
        lines("trec/test.txt", StandardCharsets.ISO_8859_1, parse));
  }

  /** Every tenth sentence is a test sentence; the data set has no split of its own. */
  private static Task subj() throws IOException {
    List<Example> train = new ArrayList<>();
    List<Example> test = new ArrayList<>();
    for (String label : List.of("objective", "subjective")) {
      String file = label.equals("objective") ? "plot.tok.gt9.5000" : "quote.tok.gt9.5000";
      List<Example> all =
          lines(
              "subjectivity/" + file,
              StandardCharsets.UTF_8,
              line -> new Example(line.strip(), label));
      for (int i = 0; i < all.size(); i++) {
        (i % 10 == 0 ? test : train).add(all.get(i));
      }
    }
    return new Task(
        "SUBJ",
        Cloze.template("{text} This is {mask} .")
            .words("objective", "objective")
            .words("subjective", "subjective"),
        train,
        test);
  }

  private static List<Example> lines(String file, Charset charset, Function<String, Example> parse)
      throws IOException {
    Path path = DATA.resolve(file);
    assumeThat(path).exists();
    return Files.readAllLines(path, charset).stream()
        .filter(line -> !line.isBlank())
        .map(parse)
        .toList();
  }
}
