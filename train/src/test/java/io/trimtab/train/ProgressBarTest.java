package io.trimtab.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class ProgressBarTest {
  private final StringBuilder out = new StringBuilder();
  private long now = 1_000_000;

  private void wait(Duration time) {
    now += time.toNanos();
  }

  private static Progress.Step step(long step, long tokens) {
    return new Progress.Step(step <= 217 ? 1 : 2, 2, step, 434, 0.4121, tokens);
  }

  @Test
  void oneLineOnATerminal() {
    ProgressBar bar = new ProgressBar(out, true, () -> now);
    wait(Duration.ofSeconds(60));
    bar.step(step(120, 381 * 60));

    // One step took 60 s, 314 are left: 18,840 s.
    assertThat(out).hasToString("\repoch 1/2  step 120/434  loss 0.412  381 tok/s  ETA 5:14:00");
  }

  @Test
  void remainingTimeCountsFromTheFirstStepOfThisProcess() {
    ProgressBar bar = new ProgressBar(out, true, () -> now);
    for (int i = 401; i <= 410; i++) {
      wait(Duration.ofSeconds(1));
      bar.step(step(i, 100L * (i - 400)));
    }

    assertThat(out.toString())
        .endsWith("\repoch 2/2  step 410/434  loss 0.412  100 tok/s  ETA 0:24");
  }

  @Test
  void redrawnAtMostTenTimesASecondAndAlwaysAtTheEnd() {
    ProgressBar bar = new ProgressBar(out, true, () -> now);
    for (int i = 1; i <= 434; i++) {
      wait(Duration.ofMillis(1));
      bar.step(step(i, i));
    }
    bar.close();

    assertThat(out.chars().filter(c -> c == '\r').count()).isBetween(5L, 7L);
    assertThat(out.toString()).containsPattern("step 434/434 .* in 0:00 *\n$");
  }

  @Test
  void shorterLinesCoverLongerOnes() {
    ProgressBar bar = new ProgressBar(out, true, () -> now);
    wait(Duration.ofHours(1));
    bar.step(step(1, 1_000_000));
    int first = out.length() - 1;
    out.setLength(0);
    wait(Duration.ofHours(1));
    bar.step(step(434, 1_000_000));

    assertThat(out.length() - 1).isGreaterThanOrEqualTo(first);
    out.setLength(0);
    bar.note("dev accuracy 0.9");
    assertThat(out.toString()).startsWith("\rdev accuracy 0.9   ").endsWith(" \n");
    out.setLength(0);
    bar.close();
    assertThat(out).isEmpty();
  }

  @Test
  void sparsePlainLinesElsewhere() {
    ProgressBar bar = new ProgressBar(out, false, () -> now);
    for (int i = 1; i <= 434; i++) {
      wait(Duration.ofSeconds(1));
      bar.step(step(i, i));
      if (i == 217) {
        bar.note("dev accuracy 0.9");
      }
    }
    bar.close();

    assertThat(out.toString()).doesNotContain("\r").contains("\ndev accuracy 0.9\n");
    // After 2, 4, 8, … 256 s and at the end.
    assertThat(out.toString().lines().filter(line -> line.startsWith("epoch"))).hasSize(9);
    assertThat(out.toString()).endsWith("step 434/434  loss 0.412  1 tok/s  in 7:14\n");
  }

  @Test
  void theLastStateIsShownWhenStoppedEarly() {
    ProgressBar bar = new ProgressBar(out, false, () -> now);
    wait(Duration.ofSeconds(1));
    bar.step(step(1, 1));
    assertThat(out).isEmpty();
    bar.close();

    assertThat(out.toString()).startsWith("epoch 1/2  step 1/434").endsWith("\n");
  }

  @Test
  void notANumberIsShownAsSuch() {
    ProgressBar bar = new ProgressBar(out, true, () -> now);
    bar.step(new Progress.Step(1, 1, 1, 2, Double.NaN, 5));

    assertThat(out).hasToString("\repoch 1/1  step 1/2  loss NaN");
  }

  @Test
  void nobodyIsToldNothing() {
    try (Progress progress = Progress.none()) {
      progress.step(step(1, 1));
      progress.note("x");
    }
    assertThat(out).isEmpty();
  }
}
