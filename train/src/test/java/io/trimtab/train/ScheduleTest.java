package io.trimtab.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class ScheduleTest {
  @Test
  void linearAsRecorded() throws IOException {
    Path train = Path.of(System.getProperty("trimtab.fixtures", "")).resolve("train");
    assumeTrue(Files.isDirectory(train), () -> "skipped: no recorded curves in " + train);
    List<Path> curves;
    try (Stream<Path> cases = Files.list(train)) {
      curves = cases.map(c -> c.resolve("curve.json")).filter(Files::exists).toList();
    }
    assertThat(curves).isNotEmpty();
    for (Path file : curves) {
      JsonNode curve = JsonMapper.shared().readTree(file);
      Schedule schedule =
          Schedule.linear(
              curve.get("peak_rate").asDouble(), Warmup.steps(curve.get("warmup").asInt()));
      int steps = curve.get("steps").asInt();
      assertThat(curve.get("rates").size()).isEqualTo(steps);
      for (int t = 0; t < steps; t++) {
        double recorded = curve.get("rates").get(t).asDouble();
        assertThat(schedule.rate(t, steps))
            .as("%s step %d", file, t)
            .isCloseTo(recorded, within(recorded * 1e-14));
      }
    }
  }

  @Test
  void linearByHand() {
    Schedule schedule = Schedule.linear(0.8, Warmup.steps(2));

    assertThat(rates(schedule, 6))
        .containsExactly(new double[] {0.4, 0.8, 0.8, 0.6, 0.4, 0.2}, TOL);
  }

  @Test
  void cosineByHand() {
    // After two steps of warm-up cos at 0, 60 and 120 degrees: (1 + {1, 1/2, -1/2}) / 2.
    Schedule schedule = Schedule.cosine(2, Warmup.steps(2));

    assertThat(rates(schedule, 5)).containsExactly(new double[] {1, 2, 2, 1.5, 0.5}, TOL);
  }

  @Test
  void constantByHand() {
    assertThat(rates(Schedule.constant(3, Warmup.steps(3)), 5))
        .containsExactly(new double[] {1, 2, 3, 3, 3}, TOL);
    assertThat(rates(Schedule.constant(3, Warmup.none()), 2))
        .containsExactly(new double[] {3, 3}, TOL);
  }

  private static final Offset<Double> TOL = within(1e-15);

  private static double[] rates(Schedule schedule, int total) {
    double[] rates = new double[total];
    for (int t = 0; t < total; t++) {
      rates[t] = schedule.rate(t, total);
    }
    return rates;
  }

  @Test
  void ratioIsRoundedUp() {
    assertThat(Warmup.ratio(0.1).of(101)).isEqualTo(11);
    assertThat(Warmup.ratio(0).of(101)).isZero();
    assertThat(Warmup.ratio(1).of(101)).isEqualTo(101);
    assertThat(Warmup.steps(500).of(101)).isEqualTo(101);
  }

  @Test
  void allWarmupIsNoDivisionByZero() {
    assertThat(rates(Schedule.linear(1, Warmup.ratio(1)), 2))
        .containsExactly(new double[] {0.5, 1}, TOL);
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, -1, Double.NaN, Double.POSITIVE_INFINITY})
  void impossibleRates(double rate) {
    for (Runnable make :
        List.<Runnable>of(
            () -> Schedule.constant(rate, Warmup.none()),
            () -> Schedule.linear(rate, Warmup.none()),
            () -> Schedule.cosine(rate, Warmup.none()))) {
      assertThatThrownBy(make::run)
          .isInstanceOf(SettingException.class)
          .hasMessageContaining("expected a finite number above 0");
    }
  }

  @Test
  void impossibleWarmupsAndSteps() {
    assertThatThrownBy(() -> Warmup.steps(-1)).isInstanceOf(SettingException.class);
    assertThatThrownBy(() -> Warmup.ratio(1.01)).isInstanceOf(SettingException.class);
    assertThatThrownBy(() -> Warmup.ratio(Double.NaN)).isInstanceOf(SettingException.class);
    Schedule schedule = Schedule.linear(1, Warmup.none());
    assertThatThrownBy(() -> schedule.rate(5, 5)).isInstanceOf(SettingException.class);
    assertThatThrownBy(() -> schedule.rate(-1, 5)).isInstanceOf(SettingException.class);
  }
}
