package io.trimtab.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code bench} says of a tiny decoder. */
class BenchCommandTest {
  @TempDir private static Path folder;
  private static String model = "";

  @BeforeAll
  static void writeModel() throws IOException {
    model = TinyLlama.write(folder, 1).toString();
  }

  private static Run bench(String... more) {
    return Run.of(List.of("bench", "--model", model, "-r", "2"), more);
  }

  @Test
  void aLineForEachTest() {
    Run run = bench("-p", "4,6", "-n", "3", "-d", "2").succeeded();
    assertThat(run.out().lines().toList())
        .satisfiesExactly(
            line -> assertThat(line).startsWith("| model | params |"),
            line -> assertThat(line).startsWith("|---|"),
            line -> assertThat(line).contains("| pp4 |").contains("±"),
            line -> assertThat(line).contains("| pp6 |"),
            line -> assertThat(line).contains("| tg3 @ d2 |"),
            line -> assertThat(line).startsWith("loaded in").contains("MB resident"));
  }

  @Test
  void theSameAsJson() {
    Map<?, ?> result = bench("-p", "0", "-n", "3", "--json").succeeded().json();
    List<?> tests = Run.list(result, "tests");
    assertThat(tests).hasSize(1);
    assertThat(Run.get(tests.getFirst(), "test")).isEqualTo("tg3");
    assertThat(Run.list(tests.getFirst(), "tokens_per_s_each")).hasSize(2);
    assertThat(Run.number(tests.getFirst(), "tokens_per_s")).isPositive();
    assertThat(Run.number(result, "resident_mb")).isPositive();
    assertThat(Run.list(result, "log_probabilities"))
        .hasSameSizeAs(Run.list(result, "witnesses"))
        .isNotEmpty();
  }

  @Test
  void whatCannotBeMeasuredIsRefused() {
    assertThat(bench("-p", "-1").err()).contains("expected no negative numbers");
    assertThat(bench("-d", "0").err()).contains("a depth and repetitions of 1 or more");
  }
}
