package io.trimtab.prompt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.lora.Lora;
import io.trimtab.model.LanguageModel;
import io.trimtab.model.Model;
import io.trimtab.model.Patches;
import io.trimtab.train.DataException;
import io.trimtab.train.Example;
import io.trimtab.train.Progress;
import io.trimtab.train.RunDirectory;
import io.trimtab.train.RunException;
import io.trimtab.train.Schedule;
import io.trimtab.train.TrainSettings;
import io.trimtab.train.Warmup;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** The whole way on a tiny model: data in, tuned delta out, and back from its files. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class TunerTest {
  private static final Lora LORA =
      Lora.rank(8).alpha(16).dropout(0.1).on("query", "value", "intermediate.dense");
  private static final List<Example> DATA = Tiny.sentences();

  /** 8 epochs of 8 steps, a checkpoint at every step. */
  private static final TrainSettings SETTINGS =
      new TrainSettings(8, 8, 1, Schedule.linear(1e-2, Warmup.steps(2)), 0.01, 1, 3, 0, 0, 0);

  private Path directory = Path.of("");
  private LanguageModel bert;

  @BeforeAll
  void open(@TempDir Path temporary) throws IOException {
    directory = temporary;
    bert = Tiny.open(Tiny.bert(temporary, 1));
  }

  @AfterAll
  void close() {
    bert.close();
  }

  private Tuner tuner() {
    return Tuner.of(bert, Tiny.task()).delta(LORA).settings(SETTINGS).train(DATA);
  }

  private static List<double[]> numbers(Tuned tuned) {
    return tuned.delta().parameters().stream().map(p -> p.value().toDoubles()).toList();
  }

  private static void assertSame(Tuned first, Tuned second) {
    List<double[]> a = numbers(first);
    List<double[]> b = numbers(second);
    assertThat(a).hasSameSizeAs(b);
    for (int i = 0; i < a.size(); i++) {
      assertThat(a.get(i)).containsExactly(b.get(i));
    }
  }

  private static List<String> texts() {
    return DATA.stream().map(Example::text).toList();
  }

  @Test
  void learnsTheTask() {
    try (Tuned tuned = tuner().epochs(20).test(DATA).run()) {
      TestScores scores = tuned.test().orElseThrow();
      assertThat(scores.untuned().accuracy()).isLessThan(0.75);
      assertThat(scores.tuned().accuracy()).isGreaterThan(0.95);
      List<Double> losses = tuned.training().orElseThrow().losses();
      assertThat(losses).hasSize(160);
      assertThat(mean(losses.subList(152, 160))).isLessThan(0.25 * mean(losses.subList(0, 8)));
      assertThat(tuned.evaluate(DATA).correct()).isEqualTo(scores.tuned().correct());
      assertThat(tuned.untuned(DATA).correct()).isEqualTo(scores.untuned().correct());
      assertThat(tuned.predict(DATA.get(0).text()).label()).isEqualTo("positive");
      Classification bad = tuned.predict(DATA.get(1).text());
      assertThat(bad.label()).isEqualTo("negative");
      assertThat(bad.probabilities().keySet()).containsExactly("positive", "negative");
      assertThat(bad.probabilities().values().stream().mapToDouble(p -> p).sum())
          .isCloseTo(1, within(1e-9));
      assertThat(bad.probability()).isEqualTo(bad.probabilities().get("negative"));
    }
  }

  private static double mean(List<Double> values) {
    return values.stream().mapToDouble(v -> v).average().orElseThrow();
  }

  @Test
  void givesTheSameFromTheSameSeedAlone() {
    try (Tuned first = tuner().run();
        Tuned second = tuner().run();
        Tuned other = tuner().seed(4).run()) {
      assertSame(first, second);
      assertThat(numbers(first).getFirst()).isNotEqualTo(numbers(other).getFirst());
    }
  }

  /** What a process that is killed looks like from inside. */
  private static final class Killed extends RuntimeException {
    private static final long serialVersionUID = 1L;
  }

  private static Progress killingAt(long step) {
    return new Progress() {
      @Override
      public void step(Step now) {
        if (now.step() == step) {
          throw new Killed();
        }
      }

      @Override
      public void note(String line) {}

      @Override
      public void close() {}
    };
  }

  @Test
  void goesOnToTheIdenticalResult() throws IOException {
    Path run = directory.resolve("killed");
    try (Tuned whole = tuner().dev(DATA.subList(0, 20)).run()) {
      assertThatThrownBy(
              () -> tuner().dev(DATA.subList(0, 20)).into(run).progress(killingAt(31)).run())
          .isInstanceOf(Killed.class);
      assertThatThrownBy(() -> Tuned.load(run, bert))
          .isInstanceOf(PromptException.TaskFile.class)
          .hasMessageContaining("has not finished");
      assertThatThrownBy(() -> tuner().dev(DATA.subList(0, 20)).into(run).run())
          .isInstanceOf(RunException.class)
          .hasMessageContaining("already holds a run");
      List<Long> seen = new ArrayList<>();
      Progress watching = recording(seen);
      try (Tuned resumed =
          tuner().dev(DATA.subList(0, 20)).into(run).resume(true).progress(watching).run()) {
        assertThat(seen.getFirst()).isEqualTo(31);
        assertSame(whole, resumed);
        assertThat(resumed.training().orElseThrow().losses())
            .isEqualTo(whole.training().orElseThrow().losses());
        assertThat(RunDirectory.open(run).events().stream().filter(e -> e.event().equals("train")))
            .hasSize(64);
      }
    }
    assertThat(run.resolve("report.html")).isNotEmptyFile();
    assertThatThrownBy(() -> tuner().seed(99).into(run).resume(true).run())
        .isInstanceOf(RunException.class)
        .hasMessageContaining("seed");
  }

  private static Progress recording(List<Long> steps) {
    return new Progress() {
      @Override
      public void step(Step now) {
        steps.add(now.step());
      }

      @Override
      public void note(String line) {}

      @Override
      public void close() {}
    };
  }

  @Test
  void isTheSameSavedAndLoaded() throws IOException {
    Path run = directory.resolve("saved-run");
    Path copy = directory.resolve("copy");
    try (Tuned tuned = tuner().into(run).test(DATA).resume(true).run()) {
      tuned.save(copy);
      List<Classification> said = tuned.predict(texts());
      for (Path from : List.of(run, run.resolve("delta"), copy)) {
        try (Tuned loaded = Tuned.load(from, bert)) {
          assertSame(tuned, loaded);
          assertThat(loaded.predict(texts())).isEqualTo(said);
          assertThat(loaded.cloze()).isEqualTo(Tiny.task());
          assertThat(loaded.training()).isEmpty();
        }
      }
      assertThat(TaskFile.read(copy).base()).isEqualTo("tiny");
      assertThat(Files.readString(run.resolve("report.html"))).contains("lora", "Test accuracy");
    }
  }

  @Test
  void opensTheBaseByItsName() throws IOException {
    Path base = Tiny.bert(directory, 1);
    Path saved = directory.resolve("by-name");
    List<Classification> said;
    try (LanguageModel named = io.trimtab.model.Models.open(base.toString());
        Tuned tuned =
            Tuner.of(named, Tiny.task()).delta(LORA).settings(SETTINGS).train(DATA).run()) {
      tuned.save(saved);
      said = tuned.predict(texts());
    }
    try (Tuned opened = Tuned.open(saved)) {
      assertThat(opened.predict(texts())).isEqualTo(said);
      assertThat(opened.model().name()).isEqualTo(base.toString());
    }
  }

  @Test
  void refusesAnotherBase() throws IOException {
    Path saved = directory.resolve("for-one");
    try (Tuned tuned = tuner().epochs(1).run();
        LanguageModel other = Tiny.open(Tiny.bert(directory, 2))) {
      tuned.save(saved);
      assertThatThrownBy(() -> Tuned.load(saved, other))
          .isInstanceOf(DeltaException.BaseMismatch.class);
    }
  }

  @Test
  void saysTheSameInAnyCompany() {
    try (Tuned tuned = tuner().epochs(2).run()) {
      List<String> texts = new ArrayList<>();
      for (int i = 0; i < 12; i++) {
        texts.addAll(texts()); // several batches
      }
      List<Classification> together = tuned.predict(texts);
      for (int i = 0; i < DATA.size(); i++) {
        Classification alone = tuned.predict(DATA.get(i).text());
        assertThat(together.get(i).probability()).isCloseTo(alone.probability(), within(1e-6));
        assertThat(together.get(i + 11 * 60).probability())
            .isCloseTo(alone.probability(), within(1e-6));
      }
      assertThat(tuned.predict(List.of())).isEmpty();
    }
  }

  @Test
  void saysTheSameMerged() {
    try (Tuned tuned = tuner().epochs(2).run()) {
      Delta delta = tuned.delta();
      try (Model merged = delta.merge()) {
        List<Classification> said =
            new ClozeClassifier(new LanguageModel(merged, bert.tokenizer()), Tiny.task())
                .predict(texts(), Patches.NONE);
        List<Classification> patched = tuned.predict(texts());
        for (int i = 0; i < said.size(); i++) {
          assertThat(said.get(i).probability())
              .isCloseTo(patched.get(i).probability(), within(1e-5));
        }
      }
    }
  }

  /** Against the full vocabulary's logits, averaged by hand. */
  @Test
  void scoresALabelByTheMeanOfItsWords() {
    ClozeClassifier classifier = new ClozeClassifier(bert, Tiny.task());
    Prompt prompt = classifier.encode(List.of("the film")).getFirst();
    double[] all;
    try (var _ = io.trimtab.tensor.Scope.open()) {
      var batch = io.trimtab.model.Batch.of(List.of(prompt.row()));
      var at = io.trimtab.model.Positions.of(new int[][] {{prompt.mask()}}, batch.layout());
      var pass = io.trimtab.model.Pass.plain(batch.layout());
      all = bert.model().maskedLogits(batch, pass, at, null).toDoubles();
    }
    double positive = (all[id("great")] + all[id("good")]) / 2;
    double negative = (all[id("terrible")] + all[id("bad")]) / 2;
    double expected = 1 / (1 + Math.exp(negative - positive));
    assertThat(
            classifier
                .predict(List.of("the film"), Patches.NONE)
                .getFirst()
                .probabilities()
                .get("positive"))
        .isCloseTo(expected, within(1e-6));
  }

  private int id(String word) {
    return bert.tokenizer().tokenId(word).orElseThrow();
  }

  @Test
  void drawsFewExamplesOfEachClass() {
    List<Long> steps = new ArrayList<>();
    try (Tuned tuned =
        Tuner.of(bert, Tiny.task())
            .delta(LORA)
            .train(DATA)
            .fewShot(4)
            .epochs(2)
            .batch(4)
            .rate(1e-3)
            .seed(7)
            .progress(recording(steps))
            .run()) {
      assertThat(steps).hasSize(2 * 8 / 4);
      assertThat(tuned.deltaBytes()).isEqualTo(4 * tuned.delta().count());
    }
    assertThatThrownBy(() -> tuner().fewShot(31).run())
        .isInstanceOf(DataException.class)
        .hasMessageContaining("30 examples, 31 were asked for");
  }

  @Test
  void namesWhatDoesNotFit() {
    List<Example> strange = new ArrayList<>(DATA);
    strange.add(new Example("the film", "neutral", 62));
    assertThatThrownBy(() -> tuner().train(strange).run())
        .isInstanceOf(DataException.class)
        .hasMessageContaining("training data line 62")
        .hasMessageContaining("\"neutral\"")
        .hasMessageContaining("\"positive\", \"negative\"");
    assertThatThrownBy(() -> tuner().train(strange).fewShot(4).run())
        .isInstanceOf(DataException.class)
        .hasMessageContaining("\"neutral\" is unknown");
    assertThatThrownBy(() -> tuner().test(strange).run())
        .isInstanceOf(DataException.class)
        .hasMessageContaining("test data line 62");
    assertThatThrownBy(() -> tuner().dev(strange).run())
        .isInstanceOf(DataException.class)
        .hasMessageContaining("development data line 62");
    assertThatThrownBy(() -> tuner().train(List.of()).run())
        .isInstanceOf(DataException.class)
        .hasMessageContaining("no training data");
    Cloze one = Cloze.template("{text} {mask}").words("positive", "great");
    assertThatThrownBy(() -> Tuner.of(bert, one).train(DATA).run())
        .isInstanceOf(PromptException.class)
        .hasMessageContaining("at least two");
    assertThatThrownBy(() -> Tuner.of(bert, one.words("negative", "playing")).train(DATA).run())
        .isInstanceOf(PromptException.LabelWord.class);
    assertThatThrownBy(() -> tuner().resume(true).run()).hasMessageContaining("into");
  }

  /** The model has 40 positions, so the usual 256 tokens are too many. */
  @Test
  void keepsToTheModelsPositions() {
    ClozeClassifier classifier = new ClozeClassifier(bert, Tiny.task());
    assertThat(classifier.maxLength()).isEqualTo(Tiny.POSITIONS);
    List<Classification> said = classifier.predict(List.of("film ".repeat(500)), Patches.NONE);
    assertThat(said).hasSize(1);
    assertThat(new ClozeClassifier(bert, Tiny.task().maxLength(12)).maxLength()).isEqualTo(12);
  }
}
