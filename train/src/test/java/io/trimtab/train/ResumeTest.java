package io.trimtab.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trimtab.delta.Delta;
import io.trimtab.model.Model;
import io.trimtab.tensor.TrimtabException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A run that was killed anywhere and resumed ends with the bits of one that was not. */
class ResumeTest {
  private static final List<Toy.Words> EXAMPLES = Toy.examples(14);
  private static final int STEPS = 12;

  @TempDir Path directory = Path.of("");
  private Model model;

  @BeforeEach
  void open() {
    model = Toy.model(directory.resolve("model"));
  }

  @AfterEach
  void close() {
    model.close();
  }

  /** What a kill looks like from inside: nothing after it is done. */
  private static final class Killed extends RuntimeException {
    private static final long serialVersionUID = 1L;
  }

  /** Dies when told of a step, which is before the step's checkpoint, or of its score. */
  private static Progress dyingAt(long step, boolean atScore) {
    return new Progress() {
      private long now;

      @Override
      public void step(Step done) {
        now = done.step();
        if (!atScore && now == step) {
          throw new Killed();
        }
      }

      @Override
      public void note(String line) {
        if (atScore && now == step) {
          throw new Killed();
        }
      }

      @Override
      public void close() {}
    };
  }

  private record Outcome(
      TrainResult result, Map<String, List<Float>> numbers, List<RunEvent> events) {}

  static RunInfo info() {
    return RunDirectoryTest.info(5, 2);
  }

  private static RunDirectory directory(Path path) {
    return RunDirectory.isRun(path)
        ? RunDirectory.resume(path, info())
        : RunDirectory.create(path, info());
  }

  /** A score that rises to step 6 and falls from there, so that there is a best to be kept. */
  private static ToDoubleFunction<Delta> score(RunDirectory run) {
    return delta -> {
      long step = run.events().stream().mapToLong(RunEvent::step).max().orElseThrow();
      return -Math.abs(step - 6.0);
    };
  }

  private Outcome train(Path path, TrainSettings settings, Progress progress) {
    RunDirectory run = directory(path);
    try (Delta delta = Toy.delta(model, 0.3)) {
      TrainResult result =
          new Trainer<>(delta, Toy.objective(), settings)
              .in(run)
              .scoredBy(score(run))
              .reporting(progress)
              .run(EXAMPLES);
      return new Outcome(result, Toy.numbers(delta), run.events());
    }
  }

  private void assertSame(Outcome resumed, Outcome whole) {
    assertThat(resumed.numbers()).isEqualTo(whole.numbers());
    assertThat(resumed.result().losses()).isEqualTo(whole.result().losses());
    assertThat(resumed.result().steps()).isEqualTo(whole.result().steps());
    assertThat(resumed.result().bestStep()).isEqualTo(whole.result().bestStep());
    assertThat(resumed.result().stoppedEarly()).isEqualTo(whole.result().stoppedEarly());
    assertThat(resumed.events())
        .usingRecursiveComparison()
        .ignoringFieldsMatchingRegexes(".*time.*")
        .isEqualTo(whole.events());
  }

  @Test
  void killedAtAnyStepItEndsWithTheSameBits() {
    Outcome whole = train(directory.resolve("whole"), Toy.settings(), Progress.none());
    assertThat(whole.result().steps()).isEqualTo(STEPS);
    assertThat(whole.result().bestStep()).isEqualTo(6);
    for (int step = 1; step <= STEPS; step++) {
      for (boolean atScore : new boolean[] {false, true}) {
        if (atScore && step % 3 != 0) {
          continue; // no score there
        }
        Path path = directory.resolve("killed-" + step + atScore);
        Progress dying = dyingAt(step, atScore);
        assertThatThrownBy(() -> train(path, Toy.settings(), dying)).isInstanceOf(Killed.class);
        assertSame(train(path, Toy.settings(), Progress.none()), whole);
      }
    }
  }

  @Test
  void killedAgainAndAgainItEndsWithTheSameBits() {
    Outcome whole = train(directory.resolve("whole"), Toy.settings(), Progress.none());
    Path path = directory.resolve("killed");
    for (int step = 2; step <= STEPS; step += 2) {
      Progress dying = dyingAt(step, false);
      assertThatThrownBy(() -> train(path, Toy.settings(), dying)).isInstanceOf(Killed.class);
    }
    assertSame(train(path, Toy.settings(), Progress.none()), whole);
  }

  @Test
  void withRareCheckpointsItGoesBackToTheLastOne() {
    TrainSettings rare = withCheckpoints(3600);
    Outcome whole = train(directory.resolve("whole"), rare, Progress.none());
    Path path = directory.resolve("killed");
    assertThatThrownBy(() -> train(path, rare, dyingAt(7, false))).isInstanceOf(Killed.class);
    assertSame(train(path, rare, Progress.none()), whole);
  }

  private static TrainSettings withCheckpoints(double seconds) {
    TrainSettings s = Toy.settings();
    return new TrainSettings(
        s.epochs(),
        s.batch(),
        s.accumulation(),
        s.schedule(),
        s.decay(),
        s.clip(),
        s.seed(),
        s.evaluations(),
        s.patience(),
        seconds);
  }

  @Test
  void aRunThatIsDoneIsNotTrainedFurther() {
    Path path = directory.resolve("whole");
    Outcome whole = train(path, Toy.settings(), Progress.none());
    Outcome again = train(path, Toy.settings(), dyingAt(1, false));
    assertSame(again, whole);
    assertThat(again.result().tokens()).isZero();
  }

  @Test
  void aRunThatStoppedEarlyStaysStopped() {
    TrainSettings patient = Toy.settings().evaluations(4, 1);
    Path path = directory.resolve("stopped");
    Outcome stopped = train(path, patient, Progress.none());
    assertThat(stopped.result().stoppedEarly()).isTrue();
    assertThat(stopped.result().steps()).isEqualTo(9);
    assertSame(train(path, patient, Progress.none()), stopped);
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, 0.4, 0.999})
  void aDamagedCheckpointIsATypedError(double share) throws IOException {
    Path path = directory.resolve("run");
    train(path, Toy.settings(), Progress.none());
    Path state = path.resolve("checkpoint").resolve("state.safetensors");
    byte[] bytes = Files.readAllBytes(state);
    Files.write(state, Arrays.copyOf(bytes, (int) (bytes.length * share)));
    assertThatThrownBy(() -> train(path, Toy.settings(), Progress.none()))
        .isInstanceOf(TrimtabException.class)
        .hasMessageContaining("state.safetensors");
  }

  /** What the killed process runs: the directories of the run and of the model. */
  static final class Child {
    private Child() {}

    public static void main(String[] arguments) {
      Path path = Path.of(arguments[0]);
      RunDirectory run = directory(path);
      try (Model model = Toy.model(Path.of(arguments[1]));
          Delta delta = Toy.delta(model, 0.3)) {
        new Trainer<>(delta, Toy.objective(), Toy.settings().epochs(5000))
            .in(run)
            .reporting(Progress.none())
            .run(EXAMPLES);
      }
    }
  }

  @Test
  @Tag("proof")
  void aProcessKilledFromOutsideEndsWithTheSameBits() throws Exception {
    Path path = directory.resolve("child");
    Process child =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                Child.class.getName(),
                path.toString(),
                directory.resolve("model-of-child").toString())
            .redirectErrorStream(true)
            .redirectOutput(directory.resolve("child.log").toFile())
            .start();
    long steps = 0;
    long deadline = System.nanoTime() + TimeUnit.MINUTES.toNanos(2);
    while (steps < 25 && child.isAlive() && System.nanoTime() < deadline) {
      Thread.sleep(20);
      steps = RunDirectory.isRun(path) ? RunDirectory.open(path).events().size() : 0;
    }
    assertThat(child.isAlive()).as(Files.readString(directory.resolve("child.log"))).isTrue();
    child.destroyForcibly().waitFor();

    long reached = RunDirectory.open(path).events().size();
    assertThat(reached).isGreaterThanOrEqualTo(25);
    // 5,000 epochs would take a while; the schedule knows the length, so both stop by dying there.
    Progress end = dyingAt(reached + 20, false);
    assertThatThrownBy(() -> plain(path, end)).isInstanceOf(Killed.class);
    Path whole = directory.resolve("whole");
    Progress same = dyingAt(reached + 20, false);
    assertThatThrownBy(() -> plain(whole, same)).isInstanceOf(Killed.class);
    assertThat(RunDirectory.open(path).events())
        .usingRecursiveComparison()
        .ignoringFieldsMatchingRegexes(".*time.*")
        .isEqualTo(RunDirectory.open(whole).events());
    assertThat(path.resolve("checkpoint").resolve("state.safetensors"))
        .hasSameBinaryContentAs(whole.resolve("checkpoint").resolve("state.safetensors"));
  }

  private void plain(Path path, Progress progress) {
    try (Delta delta = Toy.delta(model, 0.3)) {
      new Trainer<>(delta, Toy.objective(), Toy.settings().epochs(5000))
          .in(directory(path))
          .reporting(progress)
          .run(EXAMPLES);
    }
  }
}
