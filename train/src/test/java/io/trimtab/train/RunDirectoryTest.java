package io.trimtab.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunDirectoryTest {
  @TempDir Path dir = Path.of("");
  private Path run = Path.of("");

  @BeforeEach
  void choose() {
    run = dir.resolve("runs/one");
  }

  static RunInfo info(long seed, int rank) {
    return new RunInfo(
        "tune",
        Map.of("trimtab", "0.1.0"),
        Map.of("seed", seed),
        Map.of("train.csv", "sha256:00"),
        Map.of("delta", Map.of("kind", "lora", "rank", rank, "on", List.of("query", "value"))),
        2,
        Machine.describe());
  }

  private static RunEvent train(long step) {
    return new RunEvent(step, "train", Map.of("loss", 1.0 / step));
  }

  private Path metrics() {
    return run.resolve("metrics.jsonl");
  }

  @Test
  void createdAndOpenedAgain() throws IOException {
    RunDirectory created = RunDirectory.create(run, info(1, 8));
    created.append(train(1));
    created.append(new RunEvent(1, "dev", Map.of("accuracy", 0.5)));

    RunDirectory opened = RunDirectory.open(run);
    assertThat(opened.info()).isEqualTo(created.info());
    assertThat(opened.events())
        .containsExactly(train(1), new RunEvent(1, "dev", Map.of("accuracy", 0.5)));
    assertThat(metrics())
        .hasContent(
            """
            {"step":1,"event":"train","loss":1.0}
            {"step":1,"event":"dev","accuracy":0.5}
            """);
    assertThat(opened.delta()).isEqualTo(run.resolve("delta"));
    assertThat(opened.checkpoint()).isEqualTo(run.resolve("checkpoint"));
    assertThat(opened.path()).isEqualTo(run);
  }

  @Test
  void valuesThatJsonHasNot() {
    RunDirectory created = RunDirectory.create(run, info(1, 8));
    for (double value :
        new double[] {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY}) {
      created.append(new RunEvent(1, "train", Map.of("loss", value)));
    }

    assertThat(created.events().stream().map(e -> e.number("loss").orElseThrow()))
        .containsExactly(Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY);
    assertThat(created.events().getFirst().number("rate")).isEmpty();
    assertThatThrownBy(() -> new RunEvent(1, "train", Map.of("step", 2)))
        .isInstanceOf(RunException.class);
  }

  @Test
  void refusesWhatIsNotEmpty() throws IOException {
    Files.createDirectories(run);
    Files.writeString(run.resolve("thesis.tex"), "years of work");

    assertThatThrownBy(() -> RunDirectory.create(run, info(1, 8)))
        .isInstanceOf(RunException.class)
        .hasMessageContaining("is not empty and holds no run (1 files, no run.json)");
    assertThatThrownBy(() -> RunDirectory.create(run.resolve("thesis.tex"), info(1, 8)))
        .hasMessageContaining("is a file");
    assertThatThrownBy(() -> RunDirectory.resume(run, info(1, 8)))
        .isInstanceOf(RunException.class)
        .hasMessageContaining("holds no run");
  }

  @Test
  void refusesARunButTakesWhatAKilledCreationLeft() throws IOException {
    Files.createDirectories(run);
    Files.writeString(run.resolve(".run.json.1f.tmp"), "{\"wh");
    RunDirectory.create(run, info(1, 8));

    assertThatThrownBy(() -> RunDirectory.create(run, info(1, 8)))
        .isInstanceOf(RunException.class)
        .hasMessageContaining("already holds a run; go on with it by --resume");
  }

  @Test
  void aHalfWrittenLastLineIsDropped() throws IOException {
    RunDirectory created = RunDirectory.create(run, info(1, 8));
    created.append(train(1));
    String whole = Files.readString(metrics());
    Files.writeString(metrics(), "{\"step\":2,\"event\":\"tr", StandardOpenOption.APPEND);

    assertThat(created.events()).containsExactly(train(1));
    RunDirectory resumed = RunDirectory.resume(run, info(1, 8));
    assertThat(metrics()).hasContent(whole);
    resumed.append(train(2));
    assertThat(resumed.events()).containsExactly(train(1), train(2));
  }

  @Test
  void aWholeLineWithoutItsLineBreakIsHalfWrittenToo() throws IOException {
    RunDirectory.create(run, info(1, 8));
    Files.writeString(metrics(), "{\"step\":1,\"event\":\"train\",\"loss\":1.0}");

    assertThat(RunDirectory.resume(run, info(1, 8)).events()).isEmpty();
  }

  @Test
  void killedAnywhereTheMetricsEndUpTheSame() throws IOException {
    RunDirectory straight = RunDirectory.create(dir.resolve("straight"), info(1, 8));
    for (int step = 1; step <= 6; step++) {
      straight.append(train(step));
    }
    byte[] expected = Files.readAllBytes(dir.resolve("straight/metrics.jsonl"));

    int checkpoint = 2;
    // A checkpoint is written after the metrics of its step: from there on any length may be left.
    int from = new String(expected, StandardCharsets.UTF_8).indexOf("{\"step\":3");
    for (int length = from; length <= expected.length; length++) {
      Path killed = dir.resolve("killed" + length);
      RunDirectory.create(killed, info(1, 8));
      Files.write(killed.resolve("metrics.jsonl"), Arrays.copyOf(expected, length));

      RunDirectory resumed = RunDirectory.resume(killed, info(1, 8));
      resumed.rewindTo(checkpoint);
      for (int step = checkpoint + 1; step <= 6; step++) {
        resumed.append(train(step));
      }
      assertThat(killed.resolve("metrics.jsonl")).hasBinaryContent(expected);
    }
  }

  @Test
  void aMalformedLineInTheMiddleIsAnError() throws IOException {
    RunDirectory created = RunDirectory.create(run, info(1, 8));
    for (String line : List.of("{\"step\":1", "null", "[1]", "{\"step\":1}", "")) {
      Files.writeString(metrics(), "{\"step\":1,\"event\":\"train\"}\n" + line + "\n");

      assertThatThrownBy(created::events)
          .isInstanceOf(RunException.class)
          .hasMessageContaining("metrics.jsonl line 2");
    }
  }

  @Test
  void resumeNamesTheFirstDifference() {
    RunDirectory.create(run, info(1, 8));

    assertThatThrownBy(() -> RunDirectory.resume(run, info(2, 8)))
        .isInstanceOf(RunException.class)
        .hasMessageContaining("seeds.seed was 1 and is now 2");
    assertThatThrownBy(() -> RunDirectory.resume(run, info(1, 16)))
        .hasMessageContaining("settings.delta.rank was 8 and is now 16");
  }

  @Test
  void resumeNamesWhatCameOrWent() {
    RunInfo one = new RunInfo("tune", Map.of(), Map.of(), Map.of(), Map.of("a", 1), 2, Map.of());
    RunInfo two =
        new RunInfo("tune", Map.of(), Map.of(), Map.of(), Map.of("a", 1, "b", 2), 2, Map.of());
    RunDirectory.create(dir.resolve("one"), one);
    RunDirectory.create(dir.resolve("two"), two);

    assertThatThrownBy(() -> RunDirectory.resume(dir.resolve("one"), two))
        .hasMessageContaining("settings.b was not set and is now 2");
    assertThatThrownBy(() -> RunDirectory.resume(dir.resolve("two"), one))
        .hasMessageContaining("settings.b was 2 and is not set now");
  }

  @Test
  void anotherMachineMayGoOn() {
    RunInfo here =
        new RunInfo("tune", Map.of(), Map.of(), Map.of(), Map.of(), 2, Map.of("os", "a"));
    RunInfo there =
        new RunInfo("tune", Map.of(), Map.of(), Map.of(), Map.of(), 2, Map.of("os", "b"));
    RunDirectory.create(run, here);

    assertThat(RunDirectory.resume(run, there).info().machine()).containsEntry("os", "a");
  }

  @Test
  void aBrokenDescriptionIsAnError() throws IOException {
    Files.createDirectories(run);
    Files.writeString(run.resolve("run.json"), "{\"what\":");

    assertThatThrownBy(() -> RunDirectory.open(run))
        .isInstanceOf(RunException.class)
        .hasMessageContaining("is not a run's description");
  }

  @Test
  void theMachineIsDescribed() throws IOException {
    assertThat(Machine.describe()).containsKeys("os", "arch", "processors", "memory_mb", "jvm");
    Path cpu = Files.writeString(dir.resolve("cpuinfo"), "flags : x\nmodel name\t: Some CPU 9\n");
    assertThat(Machine.cpu(cpu)).contains("Some CPU 9");
    assertThat(Machine.cpu(dir.resolve("none"))).isEmpty();
  }
}
