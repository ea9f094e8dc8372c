package io.trimtab.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code generate}, {@code score} and {@code perplexity} make of a tiny decoder. */
class GenerateCommandTest {
  @TempDir private static Path folder;
  private static String model = "";

  @BeforeAll
  static void writeModel() throws IOException {
    model = TinyLlama.write(folder, 1).toString();
  }

  private static Run generate(String... more) {
    return Run.of(
        List.of("generate", "--model", model, "--prompt", "the film", "--max-tokens", "6"), more);
  }

  private static List<?> texts(Run run) {
    return Run.list(run.succeeded().json(), "texts");
  }

  @Test
  void aSingleTextIsAllThatIsShown() {
    Run shown = generate("--temperature", "0");
    Map<?, ?> result = generate("--temperature", "0", "--json").succeeded().json();
    assertThat(result.keySet())
        .map(String::valueOf)
        .containsExactly("model", "texts", "tokens", "seconds", "tokens_per_s");
    Object text = Run.list(result, "texts").getFirst();
    assertThat(shown.succeeded().out().stripTrailing())
        .isEqualTo(String.valueOf(Run.get(text, "text")).stripTrailing());
    assertThat(shown.err()).isEmpty();
    assertThat(Run.get(text, "end")).isEqualTo("length");
    assertThat(Run.get(text, "tokens")).isEqualTo(6);
    assertThat(Run.number(text, "log_probability")).isNegative();
  }

  @Test
  void samplesGoBySeedAndNotByBatch() {
    String[] four = {"--n", "4", "--prompt", "a movie", "--seed", "5", "--json"};
    List<?> texts = texts(generate(four)).stream().map(t -> Run.get(t, "text")).toList();
    assertThat(texts).hasSize(8).doesNotHaveDuplicates();
    List<String> args =
        List.of("generate", "--model", model, "--prompt", "the film", "--max-tokens", "6");
    Run alone =
        Run.of(args, "--prompt", "a movie", "--n", "4", "--seed", "5", "--batch", "1", "--json");
    assertThat(texts(alone).stream().map(t -> Run.get(t, "text")).toList()).isEqualTo(texts);
    Run other = Run.of(args, "--n", "4", "--seed", "6", "--json");
    assertThat(texts(other).stream().map(t -> Run.get(t, "text")).toList())
        .isNotEqualTo(texts.subList(0, 4));
  }

  @Test
  void beamsFindTextsAtLeastAsLikelyAsTheGreedyOne() {
    List<?> greedy = texts(generate("--temperature", "0", "--json"));
    List<?> beams = texts(generate("--beams", "4", "--n", "2", "--json"));
    assertThat(beams).hasSize(2);
    assertThat(Run.number(beams.getFirst(), "log_probability"))
        .isGreaterThanOrEqualTo(Run.number(greedy.getFirst(), "log_probability") - 1e-5);
  }

  @Test
  void whatIsImpossibleIsSaidInOneLine() {
    Run run = generate("--temperature", "-1");
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.err().lines()).singleElement().asString().contains("found temperature -1.0");
    assertThat(generate("--beams", "2", "--stop", "x").code()).isEqualTo(2);
    assertThat(generate("--beams", "2", "--top-p", "0.9").code()).isEqualTo(2);
    assertThat(generate("--beams", "2", "--batch", "4").code()).isEqualTo(2);
    assertThat(generate("--beams", "2", "--n", "3").code()).isEqualTo(2);
    assertThat(generate("--beams", "-1").code()).isEqualTo(2);
    assertThat(generate("--length-penalty", "2").code()).isEqualTo(2);
    assertThat(Run.of("generate", "--prompt", "x").err()).contains("neither --model nor --adapter");
    assertThat(Run.of("score", "--model", model, "--prompt", "x").code()).isEqualTo(2);
  }

  @Test
  void scoresOfATableAreThoseOfItsRows() throws IOException {
    Path table = folder.resolve("pairs.csv");
    Files.writeString(
        table, "prompt,continuation\nthe film, was very funny\nthe film, was\na movie, the news\n");
    List<?> all =
        Run.list(
            Run.of("score", "--model", model, "--in", table.toString(), "--json")
                .succeeded()
                .json(),
            "scores");
    assertThat(all).hasSize(3);
    Run one =
        Run.of(
            "score", "--model", model, "--prompt", "the film", "--continuation", " was", "--json");
    Object alone = Run.list(one.succeeded().json(), "scores").getFirst();
    assertThat(Run.number(alone, "log_probability"))
        .isCloseTo(Run.number(all.get(1), "log_probability"), within(1e-4));
    assertThat(Run.list(alone, "token_log_probabilities")).hasSize(1);
    assertThat(Run.list(all.getFirst(), "token_log_probabilities")).hasSize(3);
  }

  @Test
  void perplexityOfOneWindowIsThatOfTheScores() throws IOException {
    Path text = folder.resolve("text.txt");
    Files.writeString(text, "the film was very funny and the news");
    Run run = Run.of("perplexity", "--model", model, "--file", text.toString(), "--json");
    Map<?, ?> result = run.succeeded().json();
    assertThat(result.get("tokens")).isEqualTo(8);
    assertThat(result.get("window")).isEqualTo(40);
    assertThat(result.get("stride")).isEqualTo(20);
    assertThat(Run.number(result, "perplexity"))
        .isCloseTo(Math.exp(-Run.number(result, "log_probability") / 8), within(1e-6));
    Run scored =
        Run.of(
            "score",
            "--model",
            model,
            "--prompt",
            "",
            "--continuation",
            "the film was very funny and the news",
            "--json");
    Object score = Run.list(scored.succeeded().json(), "scores").getFirst();
    assertThat(Run.number(score, "log_probability"))
        .isCloseTo(Run.number(result, "log_probability"), within(1e-4));
    // The tokenizer begins texts with a token of its own, so that all of it is foretold.
    assertThat(Run.number(result, "bits_per_byte"))
        .isCloseTo(
            -Run.number(result, "log_probability")
                / Math.log(2)
                / "the film was very funny and the news".length(),
            within(1e-9));
    Run narrow =
        Run.of(
            "perplexity",
            "--model",
            model,
            "--file",
            text.toString(),
            "--window",
            "4",
            "--stride",
            "4");
    assertThat(narrow.err()).contains("stride 4, expected 1 to 3");
    Run missing = Run.of("perplexity", "--model", model, "--file", folder + "/none.txt");
    assertThat(missing.code()).isEqualTo(1);
    assertThat(missing.err().lines()).hasSize(1);
  }

  @Test
  void aDeltaActsAndNamesItsModel() throws IOException {
    Path adapter = TinyLlama.writeAdapter(folder, model);
    String[] same = {"--continuation", " was very funny", "--prompt", "the film", "--json"};
    Run plain = Run.of(List.of("score", "--model", model), same);
    Run tuned = Run.of(List.of("score", "--adapter", adapter.toString()), same);
    double without = score(plain);
    assertThat(score(tuned)).isNotCloseTo(without, within(1e-3));
    assertThat(tuned.json().get("model")).isEqualTo(model);
    assertThat(tuned.json().get("adapter")).isEqualTo(adapter.toString());
    assertThat(plain.json().keySet()).map(String::valueOf).doesNotContain("adapter");
    Run made =
        Run.of(
            "generate",
            "--adapter",
            adapter.toString(),
            "--prompt",
            "the film",
            "--max-tokens",
            "3",
            "--json");
    assertThat(texts(made)).hasSize(1);
    assertThat(made.json().get("adapter")).isEqualTo(adapter.toString());
    Run missing = generate("--adapter", folder.resolve("none").toString());
    assertThat(missing.code()).isEqualTo(1);
    assertThat(missing.err().lines()).hasSize(1);
  }

  private static double score(Run run) {
    Object first = Run.list(run.succeeded().json(), "scores").getFirst();
    return Run.number(first, "log_probability");
  }
}
