package io.trimtab.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.trimtab.train.Table;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What commands make of an encoder-decoder: pairs in, tuned delta out, texts and scores of it. */
class PairsCommandTest {
  @TempDir private static Path folder;
  private static String model = "";
  private static String pairs = "";
  private static String tuned = "";
  private static Map<?, ?> result = Map.of();

  @BeforeAll
  static void tuneOnce() throws IOException {
    Path from = Path.of(System.getProperty("trimtab.fixtures", "none"), "hf", "t5");
    assumeThat(from).as("the recorded t5").isDirectory();
    model = write(from, folder.resolve("tiny-t5")).toString();
    Path data = folder.resolve("pairs.csv");
    List<List<String>> rows = new ArrayList<>();
    for (String what : List.of("film", "movie", "play")) {
      rows.add(List.of("the " + what + " was great", "good " + what));
      rows.add(List.of("the " + what + " was awful", "bad " + what));
    }
    Table.of(List.of("source", "target"), rows).write(data);
    pairs = data.toString();
    tuned = folder.resolve("run").toString();
    Run run =
        Run.of(
            List.of("tune", "--model", model, "--train", pairs, "--test", pairs, "--out", tuned),
            "--targets",
            "all-linear",
            "--batch",
            "6",
            "--rate",
            "1e-2",
            "--epochs",
            "80",
            "--answers",
            "4",
            "--json");
    result = run.succeeded().json();
  }

  private static Path write(Path from, Path directory) throws IOException {
    Files.createDirectories(directory);
    Files.copy(from.resolve("model.safetensors"), directory.resolve("model.safetensors"));
    String config = Files.readString(from.resolve("config.json"));
    Files.writeString(
        directory.resolve("config.json"),
        config.replaceAll("\"eos_token_id\": \\d+", "\"eos_token_id\": 3"));
    try (InputStream words =
        Objects.requireNonNull(PairsCommandTest.class.getResourceAsStream("vocab.txt"))) {
      Files.write(directory.resolve("vocab.txt"), words.readAllBytes());
    }
    return directory;
  }

  @Test
  void tuningTellsTheAnswersBeforeAndAfter() throws IOException {
    assertThat(Run.get(result, "test", "answers", "count")).isEqualTo(4);
    assertThat(Run.number(result, "test", "answers", "rouge_l"))
        .isGreaterThan(Run.number(result, "untuned", "answers", "rouge_l") + 0.3);
    assertThat(Files.readString(Path.of(tuned).resolve("report.html"))).contains("good film");
  }

  @Test
  void evaluateGivesTheScoresThatTuningGave() {
    String[] data = {"--test", pairs, "--answers", "4", "--json"};
    Run after = Run.of(List.of("evaluate", "--adapter", tuned), data);
    assertThat(after.succeeded().json()).isEqualTo(result.get("test"));
    Run before = Run.of(List.of("evaluate", "--model", model), data);
    assertThat(before.succeeded().json()).isEqualTo(result.get("untuned"));
  }

  @Test
  void textsAreWrittenOfWhatIsRead() {
    List<String> args = List.of("generate", "--adapter", tuned, "--max-tokens", "5", "--json");
    Run drawn =
        Run.of(args, "--prompt", "the film was great", "--prompt", "x", "--temperature", "0");
    List<?> texts = Run.list(drawn.succeeded().json(), "texts");
    assertThat(texts).hasSize(2);
    Run found = Run.of(args, "--prompt", "the film was great", "--beams", "3");
    Object best = Run.list(found.succeeded().json(), "texts").getFirst();
    assertThat(Run.number(best, "log_probability"))
        .isGreaterThanOrEqualTo(Run.number(texts.getFirst(), "log_probability") - 1e-4);
    Run plain =
        Run.of("generate", "--model", model, "--prompt", "the film", "--n", "2", "--seed", "4");
    assertThat(plain.succeeded().out()).contains("--- 2 of prompt 1");
  }

  @Test
  void theRightTargetIsLikelier() {
    Run run =
        Run.of(
            List.of("score", "--adapter", tuned, "--prompt", "the film was great", "--json"),
            "--continuation",
            "good film",
            "--continuation",
            "bad film");
    List<?> scores = Run.list(run.succeeded().json(), "scores");
    double right = Run.number(scores.getFirst(), "log_probability");
    assertThat(right).isGreaterThan(Run.number(scores.get(1), "log_probability"));
    // The mark that the tokenizer puts in front is foretold too, the one behind is not.
    assertThat(Run.list(scores.getFirst(), "token_log_probabilities")).hasSize(3);
    Run alone =
        Run.of(
            List.of("score", "--adapter", tuned, "--prompt", "the film was great", "--json"),
            "--continuation",
            "good film");
    Object one = Run.list(alone.succeeded().json(), "scores").getFirst();
    assertThat(Run.number(one, "log_probability")).isCloseTo(right, within(1e-4));
  }

  @Test
  void whatDecodersAloneDoIsRefusedInOneLine() throws IOException {
    Path text = folder.resolve("text.txt");
    Files.writeString(text, "the film was great");
    Run run = Run.of("perplexity", "--model", model, "--file", text.toString());
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.err().lines()).singleElement().asString().contains("an encoder with a decoder");
  }
}
