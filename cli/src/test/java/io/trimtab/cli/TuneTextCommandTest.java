package io.trimtab.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.trimtab.train.Table;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tuning of what a language model writes, by commands. */
class TuneTextCommandTest {
  private static final String TEMPLATE =
      "{% for m in messages %}[CLS] {{ m['role'][0] }} : {{ m['content'] }} [SEP] {% endfor %}"
          + "{% if add_generation_prompt %}[CLS] a : {% endif %}";

  @TempDir private static Path folder;
  private static String model = "";
  private static Path train = Path.of("");
  private static Path test = Path.of("");
  private static Path tuned = Path.of("");
  private static Map<?, ?> result = Map.of();

  @BeforeAll
  static void tuneOnce() throws IOException {
    Path files = TinyLlama.write(folder, 1);
    model = files.toString();
    Path config = files.resolve("config.json");
    Files.writeString(
        config,
        Files.readString(config).replace("\"vocab_size\"", "\"eos_token_id\": 3, \"vocab_size\""));
    Files.writeString(files.resolve("chat_template.jinja"), TEMPLATE);
    train = conversations(folder.resolve("train.jsonl"), 64, 5);
    test = conversations(folder.resolve("test.jsonl"), 16, 6);
    tuned = folder.resolve("run");
    Run run =
        Run.of(tune(train, tuned, "--test", test.toString()), "--epochs", "12", "--answers", "5");
    assertThat(run.succeeded().out().lines()).hasSize(1);
    result = run.json();
  }

  private static Path conversations(Path file, int count, long seed) throws IOException {
    List<String> lines = new ArrayList<>();
    for (List<String> row : TinyBert.sentences(count, seed)) {
      lines.add(
          "{\"messages\":[{\"role\":\"user\",\"content\":\"%s\"},{\"role\":\"assistant\",\"content\":\"%s\"}]}"
              .formatted(row.get(0), row.get(1).equals("positive") ? "good film" : "bad film"));
    }
    Files.write(file, lines);
    return file;
  }

  private static List<String> tune(Path data, Path out, String... more) {
    List<String> all =
        new ArrayList<>(
            List.of("tune", "--model", model, "--train", data.toString(), "--out", out.toString()));
    all.addAll(List.of("--batch", "8", "--targets", "all-linear", "--rate", "2e-2", "--json"));
    all.addAll(List.of(more));
    return all;
  }

  @Test
  void theResultHasTheLossesTheAnswersAndTheCost() {
    double untuned = Run.number(result, "untuned", "loss");
    double loss = Run.number(result, "test", "loss");
    assertThat(untuned).isGreaterThan(2);
    assertThat(loss).isLessThan(0.5 * untuned);
    assertThat(Run.number(result, "test", "perplexity")).isCloseTo(Math.exp(loss), within(1e-9));
    assertThat(Run.number(result, "test", "token_accuracy"))
        .isGreaterThan(Run.number(result, "untuned", "token_accuracy"));
    assertThat(Run.get(result, "test", "tokens")).isEqualTo(3 * 16);
    assertThat(Run.get(result, "test", "answers", "count")).isEqualTo(5);
    assertThat(Run.number(result, "test", "answers", "rouge_l"))
        .isGreaterThan(Run.number(result, "untuned", "answers", "rouge_l"));
    assertThat(Run.number(result, "tokens_per_s")).isPositive();
    assertThat(Run.number(result, "peak_memory_mb")).isPositive();
    assertThat(Run.number(result, "delta_bytes")).isPositive();
    assertThat(result.get("steps")).isEqualTo(12 * 64 / 8);
  }

  @Test
  void theRunIsADirectoryAndOthersReadIt() throws IOException {
    assertThat(tuned.resolve("metrics.jsonl")).isNotEmptyFile();
    assertThat(Files.readString(tuned.resolve("report.html"))).contains("Test perplexity");
    assertThat(Files.readString(tuned.resolve("run.json"))).contains("\"chat template\"");
    Run made =
        Run.of(
            "generate",
            "--adapter",
            tuned.toString(),
            "--prompt",
            "[CLS] u : the film was lovely [SEP] [CLS] a :",
            "--temperature",
            "0",
            "--max-tokens",
            "4",
            "--json");
    Object text = Run.list(made.succeeded().json(), "texts").getFirst();
    assertThat(String.valueOf(Run.get(text, "text"))).contains("film");
    Run labels = Run.of("predict", "--adapter", tuned.toString(), "--text", "the film");
    assertThat(labels.code()).isEqualTo(1);
    assertThat(labels.err()).contains("language model's task");
  }

  @Test
  void evaluateGivesTheScoresThatTuningGave() {
    String[] data = {"--test", test.toString(), "--answers", "5", "--json"};
    Run after = Run.of(List.of("evaluate", "--adapter", tuned.toString()), data);
    assertThat(after.succeeded().json()).isEqualTo(result.get("test"));
    Run before = Run.of(List.of("evaluate", "--model", model), data);
    assertThat(before.succeeded().json()).isEqualTo(result.get("untuned"));
    Run words = Run.of("evaluate", "--adapter", tuned.toString(), "--test", test.toString());
    assertThat(words.succeeded().out())
        .contains("perplexity", "token accuracy")
        .doesNotContain("{");
  }

  @Test
  void theColumnsSayWhatIsLearnt() throws IOException {
    Path instructions = folder.resolve("instructions.csv");
    Table.of(
            List.of("instruction", "output"),
            List.of(List.of("the film", "good"), List.of("the news", "bad")))
        .write(instructions);
    Path pairs = folder.resolve("pairs.jsonl");
    Files.writeString(pairs, "{\"q\":\"the film\",\"a\":\" was good\"}\n");
    Path text = folder.resolve("text.txt");
    Files.writeString(text, "the film was good and the news was bad");
    checkTokens(instructions, 2 * 2);
    checkTokens(pairs, 3, "--task", "complete", "--columns", "prompt=q,completion=a");
    checkTokens(pairs, 3, "--columns", "prompt=q,completion=a");
    checkTokens(text, 10); // nine words and the end
    checkTokens(text, 10, "--max-length", "4");
  }

  private static void checkTokens(Path data, int tokens, String... more) {
    Run run =
        Run.of(List.of("evaluate", "--model", model, "--test", data.toString(), "--json"), more);
    assertThat(run.succeeded().json().get("tokens")).isEqualTo(tokens);
  }

  @Test
  void whatIsImpossibleIsSaidInOneLine() {
    Path out = folder.resolve("never");
    misused(tune(train, out, "--task", "sing"), "found --task sing");
    misused(tune(train, out, "--turns", "first"), "expected all or last");
    misused(tune(train, out, "--too-long", "never"), "expected cut-end");
    misused(tune(train, out, "--shots", "3"), "--task classify");
    misused(tune(train, out, "--template", "{text} {mask}"), "found --template for the task chat");
    misused(tune(train, out, "--columns", "prompt=q"), "for the task chat");
    misused(
        tune(train, out, "--task", "complete", "--turns", "last"),
        "found --turns for the task complete");
    Run pairs = Run.of(tune(train, out, "--task", "seq2seq"));
    assertThat(pairs.code()).isEqualTo(1);
    assertThat(pairs.err().lines()).hasSize(1);
    Run none = Run.of(tune(train, out, "--answers", "2"));
    assertThat(none.code()).isEqualTo(1);
    assertThat(none.err()).contains("no test data");
    assertThat(out).doesNotExist();
  }

  private static void misused(List<String> args, String words) {
    Run run = Run.of(args);
    assertThat(run.code()).as(run.err()).isEqualTo(2);
    assertThat(run.err()).contains(words);
    assertThat(run.err().lines()).hasSize(1);
  }
}
