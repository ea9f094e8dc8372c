package io.trimtab.prompt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.trimtab.delta.lora.Lora;
import io.trimtab.model.LanguageModel;
import io.trimtab.train.AnswerScore;
import io.trimtab.train.Conversation;
import io.trimtab.train.LanguageScores;
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
import java.util.Objects;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** The whole way of a tiny decoder: conversations in, tuned delta out, and back from its files. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class TextTunerTest {
  private static final Lora LORA = Lora.rank(8).alpha(16).dropout(0.05).on("all-linear");

  /** 6 epochs of 8 steps, a checkpoint at every step. */
  private static final TrainSettings SETTINGS =
      new TrainSettings(6, 8, 1, Schedule.linear(2e-2, Warmup.steps(2)), 0, 1, 3, 0, 0, 0);

  private static final List<Conversation> DATA =
      Tiny.sentences().stream()
          .map(
              e ->
                  Conversation.of(
                      e.text(), e.label().equals("positive") ? "good film" : "bad film"))
          .toList();

  private Path directory = Path.of("");
  private LanguageModel model;

  @BeforeAll
  void open(@TempDir Path temporary) throws IOException {
    directory = temporary;
    model = TinyDecoder.open(TinyDecoder.ofWords(temporary, 1));
  }

  @AfterAll
  void close() {
    model.close();
  }

  private TextTuner tuner() {
    return Tuner.of(model, TextTask.chat()).delta(LORA).settings(SETTINGS).train(DATA);
  }

  private static TextData data() {
    return TextData.of(DATA);
  }

  private static List<double[]> numbers(TunedText tuned) {
    return tuned.delta().parameters().stream().map(p -> p.value().toDoubles()).toList();
  }

  private static void assertSame(TunedText first, TunedText second) {
    List<double[]> a = numbers(first);
    List<double[]> b = numbers(second);
    assertThat(a).hasSameSizeAs(b);
    for (int i = 0; i < a.size(); i++) {
      assertThat(a.get(i)).containsExactly(b.get(i));
    }
  }

  @Test
  void learnsToAnswer() throws IOException {
    Path run = directory.resolve("learns");
    Path copy = directory.resolve("copy");
    // At a rate that does not leave to rounding which words are learnt last.
    TextTuner slower = tuner().rate(1e-2).epochs(20);
    try (TunedText tuned = slower.test(data()).answers(12).into(run).run()) {
      LanguageScores scores = tuned.test().orElseThrow();
      assertThat(scores.untuned().loss()).isGreaterThan(3);
      assertThat(scores.tuned().loss()).isLessThan(0.3);
      assertThat(scores.tuned().accuracy()).isGreaterThan(0.85);
      assertThat(scores.tuned().tokens()).isEqualTo(3L * DATA.size());
      AnswerScore before = Objects.requireNonNull(scores.untunedAnswers());
      AnswerScore after = Objects.requireNonNull(scores.tunedAnswers());
      assertThat(before.exactMatch()).isZero();
      assertThat(after.exactMatch()).isGreaterThan(0.7);
      assertThat(after.answers().getFirst().expected()).isEqualTo("good film");
      assertThat(after.answers().getFirst().prompt())
          .isEqualTo(DATA.getFirst().messages().getFirst().get("content"));
      tuned.save(copy);
      for (Path from : List.of(run, run.resolve("delta"), copy)) {
        assertThat(TunedText.isIn(from)).isTrue();
        try (TunedText loaded = TunedText.load(from, model)) {
          assertSame(tuned, loaded);
          assertThat(loaded.task()).isEqualTo(TextTask.chat());
          assertThat(loaded.score(data())).isEqualTo(scores.tuned());
          assertThat(loaded.answers(data(), 12)).isEqualTo(after);
        }
      }
      try (TunedText opened = TunedText.open(copy)) {
        assertThat(opened.score(data()).loss()).isEqualTo(scores.tuned().loss());
      }
      assertThat(TunedText.untuned(model, TextTask.chat(), templates(), data()))
          .isEqualTo(scores.untuned());
      assertThatThrownBy(() -> Tuned.load(copy, model))
          .isInstanceOf(PromptException.TaskFile.class)
          .hasMessageContaining("language model's task");
      assertThat(Files.readString(run.resolve("report.html")))
          .contains("Test perplexity", "ROUGE-L", "good film", "learned 180 tokens of 60 examples");
    }
  }

  private static io.trimtab.hub.ChatTemplates templates() {
    return TinyDecoder.templates(TinyDecoder.TEMPLATE);
  }

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
  void goesOnToTheIdenticalResult() {
    Path run = directory.resolve("killed");
    TrainSettings byTokens = SETTINGS.epochs(4).batchTokens(60).evaluations(4, 0);
    try (TunedText whole = tuner().settings(byTokens).dev(data()).run()) {
      assertThatThrownBy(
              () -> tuner().settings(byTokens).dev(data()).into(run).progress(killingAt(21)).run())
          .isInstanceOf(Killed.class);
      try (TunedText resumed =
          tuner().settings(byTokens).dev(data()).into(run).resume(true).run()) {
        assertSame(whole, resumed);
        assertThat(resumed.training().orElseThrow().losses())
            .isEqualTo(whole.training().orElseThrow().losses());
        List<Double> losses = new ArrayList<>();
        RunDirectory.open(run).events().stream()
            .filter(e -> e.event().equals("dev"))
            .forEach(e -> losses.add(e.number("loss").orElseThrow()));
        assertThat(losses).hasSize(4);
        double least = losses.stream().mapToDouble(x -> x).min().orElseThrow();
        assertThat(resumed.score(data()).loss()).isCloseTo(least, within(1e-5));
      }
    }
    assertThatThrownBy(
            () ->
                Tuner.of(model, TextTask.chat().turns(TextTask.Turns.LAST))
                    .delta(LORA)
                    .settings(byTokens)
                    .train(DATA)
                    .dev(data())
                    .into(run)
                    .resume(true)
                    .run())
        .isInstanceOf(RunException.class)
        .hasMessageContaining("turns");
  }

  /** Parts of a step count by their tokens, so that they change nothing but rounding. */
  @Test
  void accumulationChangesNothing() {
    Lora plain = Lora.rank(4).on("all-linear");
    TrainSettings settings = SETTINGS.epochs(1);
    try (TunedText whole = tuner().delta(plain).settings(settings).run();
        TunedText parts = tuner().delta(plain).settings(settings.accumulation(3)).run()) {
      List<Double> a = whole.training().orElseThrow().losses();
      List<Double> b = parts.training().orElseThrow().losses();
      for (int i = 0; i < a.size(); i++) {
        assertThat(b.get(i)).isCloseTo(a.get(i), within(2e-3));
      }
    }
  }

  @Test
  void tasksSurviveTheirFiles() {
    List<TextTask> tasks =
        List.of(
            TextTask.chat().turns(TextTask.Turns.LAST).maxLength(77),
            TextTask.instructions("a", "b", "c").tooLong(TextTask.TooLong.LEAVE_OUT),
            TextTask.instructions().template("{instruction} {input} \"=\" "),
            TextTask.completions("p", "q").tooLong(TextTask.TooLong.FAIL),
            TextTask.texts("t").tooLong(TextTask.TooLong.CUT_START),
            TextTask.pairs("s", "u"));
    for (TextTask task : tasks) {
      Path there = directory.resolve("task-" + tasks.indexOf(task));
      new TextTaskFile("base", task).save(there);
      assertThat(TextTaskFile.read(there)).isEqualTo(new TextTaskFile("base", task));
    }
  }
}
