package io.trimtab.cli;

import static org.assertj.core.api.Assertions.assertThat;

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
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the commands that only read a model show, to people and to programs. */
class CommandsTest {
  @TempDir private static Path folder;
  private static String model = "";

  @BeforeAll
  static void writeModel() throws IOException {
    model = TinyBert.write(folder, 1).toString();
  }

  @Test
  void fillShowsTheLikeliestWordsAtAMask() {
    Run run = Run.of("fill", "--model", model, "--text", "it was [MASK] .", "--top", "3");
    assertThat(run.succeeded().out().lines())
        .hasSize(3)
        .allMatch(l -> l.matches(" 0\\.\\d{3}  .+"));
    assertThat(run.err()).isEmpty();
  }

  @Test
  void fillGivesEveryMaskItsOwnWordsAsJson() {
    String text = "the [MASK] was [MASK] .";
    Run run = Run.of("fill", "--model", model, "--text", text, "--top", "4", "--json");
    Map<?, ?> result = run.succeeded().json();
    assertThat(result.keySet()).map(String::valueOf).containsExactly("model", "text", "masks");
    assertThat(result.get("model")).isEqualTo(model);
    assertThat(result.get("text")).isEqualTo(text);
    List<?> masks = Run.list(result, "masks");
    assertThat(masks).extracting(m -> Run.get(m, "position")).isEqualTo(List.of(2, 4));
    for (Object mask : masks) {
      List<?> words = Run.list(mask, "words");
      assertThat(words).hasSize(4).allMatch(w -> Run.get(w, "word") instanceof String);
      assertThat(words)
          .map(w -> Run.number(w, "probability"))
          .isSortedAccordingTo((a, b) -> Double.compare(b, a))
          .allMatch(p -> p > 0 && p < 1);
    }
    assertThat(run.err()).contains("mask 1", "mask 2");
  }

  @Test
  void fillProbabilitiesOfAllWordsSumToOne() {
    Run run = Run.of("fill", "--model", model, "--text", "[MASK]", "--top", "96", "--json");
    List<?> masks = Run.list(run.succeeded().json(), "masks");
    List<?> words = Run.list(masks.getFirst(), "words");
    assertThat(words.stream().mapToDouble(w -> Run.number(w, "probability")).sum())
        .isBetween(0.9999, 1.0001);
  }

  @Test
  void inspectFoldsLayersThatLookTheSame() {
    Run run = Run.of("inspect", "--model", model);
    assertThat(run.succeeded().out())
        .contains("0–1 (2 ×)", "parameters,", "MB as")
        .doesNotContain("tuned");
    assertThat(run.err()).isEmpty();
  }

  @Test
  void inspectCountsWhatLoraWouldTune() {
    Run run = Run.of("inspect", "--model", model, "--delta", "lora", "--rank", "4", "--json");
    Map<?, ?> result = run.succeeded().json();
    // Two blocks, query and value, A and B of 4 × 32 each.
    assertThat(result.get("tuned_parameters")).isEqualTo(2 * 2 * 2 * 4 * 32);
    assertThat(result.get("delta")).isEqualTo("lora");
    assertThat(Run.list(result, "tuned_layers"))
        .hasSize(4)
        .map(String::valueOf)
        .contains("bert.encoder.layer.1.attention.self.value");
    // Words, positions, segments and their norm; two blocks; the head with its own bias.
    int embeddings = (96 + 40 + 2) * 32 + 64;
    int block = 4 * (32 * 32 + 32) + 64 + (32 * 48 + 48) + (48 * 32 + 32) + 64;
    int head = 32 * 32 + 32 + 64 + 96;
    assertThat(result.get("parameters")).isEqualTo(embeddings + 2 * block + head);
    assertThat(result.get("frozen_parameters")).isEqualTo(result.get("parameters"));
    assertThat(result.get("bytes")).isEqualTo(4 * (embeddings + 2 * block + head));
    assertThat(Run.number(result, "predicted_memory_bytes")).isPositive();
    assertThat(run.err()).contains("0–1 (2 ×)", "tuned by lora: 1,024 parameters");
  }

  @Test
  void inspectTakesTargetsInTheShortAndTheLongForm() {
    Run brief =
        Run.of("inspect", "--model", model, "--delta", "lora", "--targets", "query", "--json");
    Run whole =
        Run.of("inspect", "--model", model, "--delta", "lora:rank=2,targets=query,key", "--json");
    assertThat(Run.list(brief.succeeded().json(), "tuned_layers")).hasSize(2);
    assertThat(whole.succeeded().json().get("tuned_parameters")).isEqualTo(2 * 2 * 2 * 2 * 32);
  }

  @Test
  void pullOfADirectorySaysWhereItIs() {
    Run run = Run.of("pull", model);
    assertThat(run.succeeded().out().lines()).containsExactly(model, "source  directory:" + model);
    Map<?, ?> result = Run.of("pull", model, "--json").succeeded().json();
    assertThat(result.get("directory")).isEqualTo(model);
    assertThat(result.get("model")).isEqualTo(model);
  }

  /** All that the help shows but {@code delta}, whose commands have a test of their own. */
  static Stream<String> commands() {
    Stream<String> shown =
        Main.commandLine().getSubcommands().entrySet().stream()
            .filter(each -> !each.getValue().getCommandSpec().usageMessage().hidden())
            .filter(each -> each.getValue().getSubcommands().isEmpty())
            .map(Map.Entry::getKey);
    return Stream.concat(Stream.of(""), shown);
  }

  @ParameterizedTest
  @MethodSource("commands")
  void helpNamesEveryOption(String command) {
    Run run = command.isEmpty() ? Run.of("--help") : Run.of(command, "--help");
    var main = Main.commandLine();
    var spec = main.getSubcommands().getOrDefault(command, main).getCommandSpec();
    assertThat(run.succeeded().err()).isEmpty();
    assertThat(run.out()).startsWith("Usage: " + ("trimtab " + command).strip());
    spec.options().forEach(option -> assertThat(run.out()).contains(option.longestName()));
    if (command.isEmpty()) {
      main.getSubcommands()
          .forEach(
              (name, sub) -> {
                if (!sub.getCommandSpec().usageMessage().hidden()) {
                  assertThat(run.out()).contains(name);
                }
              });
    } else {
      assertThat(run.out()).contains("--json", "--seed", "--threads", "--dtype");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "demo", "pull", "tune", "predict"})
  void versionIsOneLine(String command) {
    Run run = command.isEmpty() ? Run.of("--version") : Run.of(command, "--version");
    assertThat(run.succeeded().out().lines()).singleElement().asString().startsWith("trimtab ");
  }

  @Test
  void verifyDoesNotClaimWhatItCouldNotCompare() {
    Run run = Run.of("pull", model, "--verify");
    assertThat(run.succeeded().out()).contains("nothing was compared").doesNotContain("right");
  }

  @Test
  void aSettingOfLoraNamesLora() {
    Run run = Run.of("inspect", "--model", model, "--rank", "2", "--json");
    assertThat(run.succeeded().json().get("tuned_parameters")).isEqualTo(2 * 2 * 2 * 2 * 32);
  }

  @Test
  void fillInBf16GivesNearlyTheSame() {
    String[] words = {"fill", "--model", model, "--text", "[MASK]", "--top", "1", "--json"};
    double plain = best(Run.of(List.of(words)));
    double brief = best(Run.of(List.of(words), "--dtype", "bf16"));
    assertThat(brief).isBetween(0.9 * plain, 1.1 * plain).isNotEqualTo(plain);
  }

  private static double best(Run run) {
    List<?> masks = Run.list(run.succeeded().json(), "masks");
    List<?> words = Run.list(masks.getFirst(), "words");
    return Run.number(words.getFirst(), "probability");
  }

  @Test
  void nothingIsWrittenBesideTheModel() throws IOException {
    try (var files = Files.list(Path.of(model))) {
      assertThat(files.map(f -> f.getFileName().toString()))
          .containsExactlyInAnyOrder("config.json", "vocab.txt", "model.safetensors");
    }
  }
}
