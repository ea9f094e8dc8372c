package io.trimtab.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trimtab.delta.Delta;
import io.trimtab.model.Batch;
import io.trimtab.model.Model;
import io.trimtab.model.Pass;
import io.trimtab.tensor.FusedAdamW;
import io.trimtab.tensor.Gradients;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Reduction;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrainerTest {
  private static final List<Toy.Words> EXAMPLES = Toy.examples(14);

  @TempDir Path directory = Path.of("");
  private Model model;

  @BeforeEach
  void open() {
    model = Toy.model(directory);
  }

  @AfterEach
  void close() {
    model.close();
  }

  private record Outcome(TrainResult result, Map<String, List<Float>> numbers) {}

  private Outcome train(TrainSettings settings, double dropout) {
    try (Delta delta = Toy.delta(model, dropout)) {
      TrainResult result = new Trainer<>(delta, Toy.objective(), settings).run(EXAMPLES);
      return new Outcome(result, Toy.numbers(delta));
    }
  }

  @Test
  void learns() {
    try (Delta delta = Toy.delta(model, 0)) {
      double before = Toy.accuracy(delta, EXAMPLES);
      Schedule schedule = Schedule.constant(5e-2, Warmup.none());
      TrainSettings settings = Toy.settings().epochs(50).schedule(schedule);
      TrainResult result = new Trainer<>(delta, Toy.objective(), settings).run(EXAMPLES);
      assertThat(result.steps()).isEqualTo(200);
      assertThat(result.losses()).hasSize(200);
      assertThat(result.losses().getLast()).isLessThan(result.losses().getFirst() / 2);
      assertThat(Toy.accuracy(delta, EXAMPLES)).isGreaterThan(0.6).isGreaterThan(before);
      long words = EXAMPLES.stream().mapToLong(example -> example.ids().length).sum();
      assertThat(result.tokens()).isEqualTo(50 * words);
    }
  }

  @Test
  void theSameSeedGivesTheSameBits() {
    Outcome first = train(Toy.settings(), 0.3);
    Outcome again = train(Toy.settings(), 0.3);
    Outcome other = train(Toy.settings().seed(6), 0.3);
    assertThat(again.result().losses()).isEqualTo(first.result().losses());
    assertThat(again.numbers()).isEqualTo(first.numbers());
    assertThat(other.numbers()).isNotEqualTo(first.numbers());
  }

  @Test
  void microBatchesOfUnequalSizeAddUpToTheirBatch() {
    TrainSettings settings = Toy.settings().batch(7); // in three parts of 2, 2 and 3
    Outcome whole = train(settings, 0);
    Outcome parts = train(settings.accumulation(3), 0);
    for (int i = 0; i < whole.result().losses().size(); i++) {
      assertThat(parts.result().losses().get(i))
          .isCloseTo(whole.result().losses().get(i), Offset.offset(1e-6));
    }
    // Rounding differs, and AdamW divides it by gradients near zero: half a hundredth of one step.
    whole
        .numbers()
        .forEach(
            (name, values) -> {
              List<Float> others = Objects.requireNonNull(parts.numbers().get(name));
              for (int i = 0; i < values.size(); i++) {
                assertThat(others.get(i)).as(name).isCloseTo(values.get(i), Offset.offset(1e-4f));
              }
            });
  }

  @Test
  void stopsWhenPatienceRunsOutAndKeepsTheBest() {
    List<Double> scores = List.of(0.5, 0.7, 0.6, 0.7, 0.9, 0.9);
    List<Map<String, List<Float>>> seen = new ArrayList<>();
    try (Delta delta = Toy.delta(model, 0)) {
      ToDoubleFunction<Delta> script =
          at -> {
            seen.add(Toy.numbers(at));
            return scores.get(seen.size() - 1);
          };
      TrainSettings settings = Toy.settings().evaluations(6, 2); // after every second of 12 steps
      TrainResult result =
          new Trainer<>(delta, Toy.objective(), settings).scoredBy(script).run(EXAMPLES);
      assertThat(seen).hasSize(4); // neither 0.6 nor an equal 0.7 is better
      assertThat(result.stoppedEarly()).isTrue();
      assertThat(result.steps()).isEqualTo(8);
      assertThat(result.bestStep()).isEqualTo(4);
      assertThat(Toy.numbers(delta)).isEqualTo(seen.get(1)).isNotEqualTo(seen.get(3));
    }
  }

  @Test
  void withoutPatienceGoesOnToTheEndAndKeepsTheBest() {
    List<Map<String, List<Float>>> seen = new ArrayList<>();
    try (Delta delta = Toy.delta(model, 0)) {
      ToDoubleFunction<Delta> falling =
          at -> {
            seen.add(Toy.numbers(at));
            return -seen.size();
          };
      TrainResult result =
          new Trainer<>(delta, Toy.objective(), Toy.settings()).scoredBy(falling).run(EXAMPLES);
      assertThat(seen).hasSize(4);
      assertThat(result.stoppedEarly()).isFalse();
      assertThat(result.steps()).isEqualTo(12);
      assertThat(result.bestStep()).isEqualTo(3);
      assertThat(Toy.numbers(delta)).isEqualTo(seen.getFirst());
    }
  }

  @Test
  void aLossThatIsNoNumberIsATypedErrorAndChangesNothing() {
    for (double factor : new double[] {Double.NaN, Double.POSITIVE_INFINITY}) {
      try (Delta delta = Toy.delta(model, 0)) {
        Map<String, List<Float>> before = Toy.numbers(delta);
        Trainer<Toy.Words> trainer = new Trainer<>(delta, Toy.objective(factor), Toy.settings());
        assertThatThrownBy(() -> trainer.run(EXAMPLES))
            .isInstanceOf(TrainingException.class)
            .hasMessageContaining("step 1")
            .hasMessageContaining("learning rate");
        assertThat(Toy.numbers(delta)).isEqualTo(before);
      }
    }
  }

  @Test
  void gradientsAreClippedTogetherBeforeTheyAreApplied() {
    try (Delta delta = Toy.delta(model, 0);
        FusedAdamW adam = new FusedAdamW(delta.parameters(), 0.9, 0.999, 1e-8)) {
      Objective<Toy.Words> objective = Toy.objective();
      Supplier<Tensor> loss = () -> loss(delta, objective);
      double free = new Update(delta.parameters(), adam, 0, 0).step(0, List.of(loss)).loss();
      double whole = norm(delta);
      Update clipping = new Update(delta.parameters(), adam, 0, whole / 8);
      Update.Outcome outcome = clipping.step(0, List.of(loss));
      assertThat(outcome.loss()).isEqualTo(free); // at a rate of 0 nothing has moved
      assertThat(outcome.gradientNorm()).isCloseTo(whole, Offset.offset(1e-5 * whole));
      assertThat(norm(delta)).isCloseTo(whole / 8, Offset.offset(1e-5 * whole));
      Update loose = new Update(delta.parameters(), adam, 0, whole * 8);
      loose.step(0, List.of(loss));
      assertThat(norm(delta)).isCloseTo(whole, Offset.offset(1e-5 * whole));
    }
  }

  private Tensor loss(Delta delta, Objective<Toy.Words> objective) {
    Batch batch = Batch.of(EXAMPLES.stream().map(objective::row).toList());
    return objective.loss(model, EXAMPLES, batch, Pass.with(batch.layout(), delta.patches()));
  }

  private static double norm(Delta delta) {
    double squares = 0;
    try (Scope _ = Scope.open()) {
      for (Parameter parameter : delta.parameters()) {
        double norm = Reduction.norm(Objects.requireNonNull(parameter.gradient())).item();
        squares += norm * norm;
      }
    }
    return Math.sqrt(squares);
  }

  @Test
  void scoringBuildsNoGraph() {
    try (Delta delta = Toy.delta(model, 0)) {
      ToDoubleFunction<Delta> score =
          at -> {
            try (Scope _ = Scope.open()) {
              Tensor loss = loss(at, Toy.objective());
              assertThat(loss.requiresGradient()).isFalse();
              return -loss.item();
            }
          };
      new Trainer<>(delta, Toy.objective(), Toy.settings()).scoredBy(score).run(EXAMPLES);
      assertThat((double) Gradients.<Double>none(() -> score.applyAsDouble(delta)))
          .isGreaterThan(-2);
    }
  }
}
