package io.trimtab.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.trimtab.train.Table;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The main job by commands: tune, evaluate, predict. */
class TuneCommandTest {
  private static final String TEMPLATE = "{text} it was {mask} .";
  private static final String WORDS = "positive=great|good,negative=terrible|bad";

  private static final int ROWS = 96;
  private static final int EPOCHS = 20;
  private static final String RATE = "1e-2";

  @TempDir private static Path folder;
  private static String model = "";
  private static Path train = Path.of("");
  private static Path test = Path.of("");
  private static Path tuned = Path.of("");
  private static Map<?, ?> result = Map.of();

  @BeforeAll
  static void tuneOnce() throws IOException {
    model = TinyBert.write(folder, 1).toString();
    train = table(folder.resolve("train.csv"), ROWS, 5);
    test = table(folder.resolve("test.csv"), 20, 6);
    tuned = folder.resolve("run");
    Run run =
        Run.of(
            tune(train, tuned),
            "--test",
            test.toString(),
            "--epochs",
            String.valueOf(EPOCHS),
            "--rate",
            RATE);
    assertThat(run.succeeded().out()).isEqualTo(run.out().lines().findFirst().orElseThrow() + "\n");
    result = run.json();
  }

  private static Path table(Path file, int rows, long seed) {
    Table.of(List.of("text", "label"), TinyBert.sentences(rows, seed)).write(file);
    return file;
  }

  private static List<String> tune(Path data, Path out) {
    return List.of(
        "tune",
        "--model",
        model,
        "--train",
        data.toString(),
        "--out",
        out.toString(), //
        "--template",
        TEMPLATE,
        "--verbalizer",
        WORDS,
        "--batch",
        "8", //
        "--targets",
        "query,value,intermediate.dense",
        "--json");
  }

  private static List<String> filesIn(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.map(f -> f.getFileName().toString()).toList();
    }
  }

  @Test
  void theResultHasTheScoresAndTheCost() {
    double untuned = (Double) Run.get(result, "untuned", "accuracy");
    double accuracy = (Double) Run.get(result, "test", "accuracy");
    assertThat(untuned).isBetween(0.0, 1.0);
    assertThat(accuracy).isGreaterThan(0.85).isGreaterThan(untuned);
    assertThat((Double) Run.get(result, "test", "macro_f1")).isGreaterThan(0.85);
    assertThat(Run.number(result, "tokens_per_s")).isPositive();
    assertThat(Run.number(result, "peak_memory_mb")).isPositive();
    assertThat(Run.number(result, "seconds")).isPositive();
    assertThat(result.get("steps")).isEqualTo(EPOCHS * ROWS / 8);
    assertThat(Run.list(result, "losses")).hasSize(EPOCHS * ROWS / 8);
    // Rank 8, two blocks: queries and values of 32 to 32, inner layers of 32 to 48, all F32.
    int numbers = 2 * 8 * (2 * (32 + 32) + (32 + 48));
    assertThat(result.get("delta_parameters")).isEqualTo(numbers);
    assertThat(result.get("delta_bytes")).isEqualTo(4 * numbers);
  }

  @Test
  void theRunIsADirectory() throws IOException {
    assertThat(filesIn(tuned)).contains("run.json", "metrics.jsonl", "delta", "report.html");
    assertThat(filesIn(tuned.resolve("delta")))
        .contains("adapter_config.json", "adapter_model.safetensors", "task.json");
    assertThat(Files.readString(tuned.resolve("report.html"))).contains("<svg", "positive");
  }

  @Test
  void evaluateGivesTheScoreThatTuningGave() {
    Run run =
        Run.of("evaluate", "--adapter", tuned.toString(), "--test", test.toString(), "--json");
    assertThat(run.succeeded().json()).isEqualTo(result.get("test"));
    assertThat(run.err()).contains("positive", "negative");
  }

  @Test
  void evaluateWithoutAnAdapterGivesTheUntunedScore() {
    Run run =
        Run.of(
            "evaluate",
            "--model",
            model,
            "--template",
            TEMPLATE,
            "--verbalizer",
            WORDS, //
            "--test",
            test.toString(),
            "--json");
    assertThat(run.succeeded().json().get("accuracy"))
        .isEqualTo(Run.get(result, "untuned", "accuracy"));
    assertThat(run.json().get("macro_f1")).isEqualTo(Run.get(result, "untuned", "macro_f1"));
  }

  @Test
  void predictClassifiesAText() {
    String delta = tuned.resolve("delta").toString();
    Run run = Run.of("predict", "--adapter", delta, "--text", "the film is lovely", "--json");
    Map<?, ?> said = run.succeeded().json();
    assertThat(said.get("label")).isEqualTo("positive");
    double positive = (Double) Run.get(said, "probabilities", "positive");
    double negative = (Double) Run.get(said, "probabilities", "negative");
    assertThat(said.get("probability")).isEqualTo(positive);
    assertThat(positive + negative).isCloseTo(1, within(1e-5));
    Run plain = Run.of("predict", "--adapter", delta, "--text", "the film is lovely");
    assertThat(plain.succeeded().out()).contains("positive", "negative");
    assertThat(plain.err()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"csv", "tsv", "jsonl"})
  void predictAddsColumnsToATable(String extension) {
    Path out = folder.resolve("said." + extension);
    Run run =
        Run.of(
            "predict",
            "--adapter",
            tuned.toString(),
            "--in",
            test.toString(), //
            "--out",
            out.toString(),
            "--json");
    assertThat(run.succeeded().json()).isEqualTo(Map.of("out", out.toString(), "count", 20));
    Table written = Table.read(out);
    assertThat(written.columns())
        .containsExactly("text", "label", "predicted", "probability", "p(positive)", "p(negative)");
    assertThat(written.column("text")).isEqualTo(Table.read(test).column("text"));
    List<String> gold = written.column("label");
    List<String> said = written.column("predicted");
    long right = 0;
    for (int i = 0; i < gold.size(); i++) {
      right += gold.get(i).equals(said.get(i)) ? 1 : 0;
    }
    assertThat(right / 20.0).isEqualTo(Run.get(result, "test", "accuracy"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"tsv", "jsonl"})
  void otherTablesGiveTheSameRun(String extension) {
    Path data = table(folder.resolve("train." + extension), ROWS, 5);
    Path out = folder.resolve("run-" + extension);
    Run run = Run.of(tune(data, out), "--epochs", String.valueOf(EPOCHS), "--rate", RATE);
    assertThat(run.succeeded().json().get("losses")).isEqualTo(result.get("losses"));
    assertThat(run.json().containsKey("test")).isFalse();
  }

  @Test
  void resumeOfAFinishedRunGivesItsResultAgain() {
    Run again =
        Run.of(
            tune(train, tuned),
            "--test",
            test.toString(),
            "--epochs",
            String.valueOf(EPOCHS),
            "--rate",
            RATE, //
            "--resume");
    assertThat(again.succeeded().json().get("test")).isEqualTo(result.get("test"));
    assertThat(again.json().get("losses")).isEqualTo(result.get("losses"));
  }

  @Test
  void resumeWithOtherSettingsIsRefused() {
    Run other = Run.of(tune(train, tuned), "--epochs", "3", "--resume");
    assertThat(other.code()).isEqualTo(1);
    assertThat(other.out()).isEmpty();
    assertThat(other.err().lines()).singleElement().asString().startsWith("trimtab: ");
  }

  @Test
  void developmentDataShotsAndRankAreUsed() {
    Run run =
        Run.of(
            tune(train, folder.resolve("run-shots")),
            "--rank",
            "2",
            "--shots",
            "4", //
            "--dev",
            test.toString(),
            "--epochs",
            "2",
            "--threads",
            "1",
            "--seed",
            "7");
    assertThat(run.succeeded().json().get("steps")).isEqualTo(2);
    assertThat(run.json().get("delta_bytes"))
        .isEqualTo((Integer) Run.get(result, "delta_bytes") / 4);
  }

  @Test
  void peopleSeeTheTableTheScoresAndTheCost() {
    List<String> plain = tune(train, folder.resolve("run-words"));
    Run run =
        Run.of(plain.subList(0, plain.size() - 1), "--test", test.toString(), "--epochs", "1");
    assertThat(run.succeeded().out())
        .contains("untuned", "tuned", "accuracy", "macro F1", "tokens/s", "report.html")
        .doesNotContain("{");
    assertThat(run.err()).contains("test examples");
  }

  @Test
  void theVerbalizerMayBeAFile() throws IOException {
    Path words = folder.resolve("words.txt");
    Files.writeString(words, "positive: great, good\nnegative: terrible, bad\n");
    Run run =
        Run.of(
            "evaluate",
            "--model",
            model,
            "--template",
            TEMPLATE,
            "--verbalizer", //
            words.toString(),
            "--test",
            test.toString(),
            "--json");
    assertThat(run.succeeded().json().get("accuracy"))
        .isEqualTo(Run.get(result, "untuned", "accuracy"));
  }

  @Test
  void columnsMayHaveOtherNames() {
    Path data = folder.resolve("tickets.csv");
    Table.of(List.of("message", "kind"), TinyBert.sentences(10, 3)).write(data);
    Run run =
        Run.of(
            "evaluate",
            "--adapter",
            tuned.toString(),
            "--test",
            data.toString(), //
            "--text",
            "message",
            "--label",
            "kind",
            "--json");
    assertThat(run.succeeded().json().get("count")).isEqualTo(10);
  }
}
