package io.trimtab.prompt;

import io.trimtab.delta.Delta;
import io.trimtab.hub.ChatTemplates;
import io.trimtab.hub.Hub;
import io.trimtab.model.LanguageModel;
import io.trimtab.model.Patches;
import io.trimtab.train.AnswerScore;
import io.trimtab.train.Conversation;
import io.trimtab.train.DataException;
import io.trimtab.train.LanguageObjective;
import io.trimtab.train.LanguageScore;
import io.trimtab.train.LanguageScores;
import io.trimtab.train.RunDirectory;
import io.trimtab.train.SettingException;
import io.trimtab.train.TokenExample;
import io.trimtab.train.TrainResult;
import io.trimtab.train.TrainSettings;
import io.trimtab.train.Trainer;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Tunes a small delta on a frozen language model for what it is to write. {@link
 * Tuner#of(LanguageModel, TextTask)} makes one.
 *
 * <pre>{@code
 * try (LanguageModel model = Models.open("smollm2-135m-instruct");
 *     TunedText tuned =
 *         Tuner.of(model, TextTask.chat())
 *             .delta(Lora.rank(8).on("all-linear"))
 *             .train(path)
 *             .test(other)
 *             .run()) {
 *   System.out.println(tuned.test().orElseThrow().tuned().perplexity());
 *   tuned.save(directory);
 * }
 * }</pre>
 *
 * Where nothing is said it goes over the data 3 times, 8 examples a step.
 */
public final class TextTuner extends Tuning<TextTuner> {
  private static final int EPOCHS = 3;
  private static final int BATCH = 8;

  private final TextTask task;
  private @Nullable ChatTemplates templates;
  private TextData train = TextData.NONE;
  private TextData dev = TextData.NONE;
  private TextData test = TextData.NONE;
  private int answers;

  TextTuner(LanguageModel model, TextTask task) {
    super(model, TrainSettings.usual(1).epochs(EPOCHS).batch(BATCH));
    this.task = task;
  }

  @Override
  TextTuner self() {
    return this;
  }

  /** Takes at most so many tokens a step, of fewer examples then; 0 for any number. */
  public TextTuner batchTokens(int value) {
    return replace(settings().batchTokens(value));
  }

  /** Uses these chat templates; those of the model where nothing is said. */
  public TextTuner templates(ChatTemplates value) {
    templates = value;
    return this;
  }

  /** Learns from a file in the form that the task has. */
  public TextTuner train(Path file) {
    return train(TextData.read(file, task));
  }

  /** Learns from conversations. */
  public TextTuner train(List<Conversation> conversations) {
    return train(TextData.of(conversations));
  }

  /** Learns from these examples. */
  public TextTuner train(TextData data) {
    train = data;
    return this;
  }

  /** Keeps the parameters that foretell this data best, scored once an epoch. */
  public TextTuner dev(TextData data) {
    dev = data;
    return this;
  }

  /** Scores the model on a file before and after tuning, for the report. */
  public TextTuner test(Path file) {
    return test(TextData.read(file, task));
  }

  /** Scores the model on this data before and after tuning, for the report. */
  public TextTuner test(TextData data) {
    test = data;
    return this;
  }

  /**
   * Has the model answer the first so many test examples before and after tuning, and compares what
   * it writes with what was expected.
   */
  public TextTuner answers(int count) {
    if (count < 0) {
      throw new SettingException("found " + count + " answers, expected 0 for none or more");
    }
    answers = count;
    return this;
  }

  /**
   * Tunes.
   *
   * @return the tuned model, which the caller closes
   * @throws DataException if there is no training data, or it cannot be used
   * @throws PromptException if the task does not fit the model, or its chat template the data
   * @throws io.trimtab.delta.DeltaException if the delta does not fit the model
   * @throws io.trimtab.train.RunException if the run's directory cannot be used
   * @throws io.trimtab.train.TrainingException if training cannot go on
   */
  public TunedText run() {
    try {
      return tune();
    } finally {
      finished();
    }
  }

  private ChatTemplates knownTemplates() {
    if (templates == null) {
      templates = Hub.open(model().name()).chatTemplates();
    }
    return templates;
  }

  private TunedText tune() {
    checkDirectory();
    if (train.examples().isEmpty()) {
      throw new DataException("found no training data, expected some; name it by train");
    }
    if (answers > 0 && test.examples().isEmpty()) {
      throw new DataException("found answers asked for and no test data, expected some; name it");
    }
    TextEncoder encoder = new TextEncoder(model(), task, this::knownTemplates);
    // All data is encoded before anything takes long.
    TextEncoder.Encoded testSet = encoded(encoder, test, "test");
    TextEncoder.Encoded devSet = encoded(encoder, dev, "development");
    TextEncoder.Encoded trainSet = encoded(encoder, train, "training");
    TrainSettings chosen = chosenSettings(!devSet.items().isEmpty());
    Delta delta = attach(chosen);
    try {
      String template = templates == null ? "" : templates.defaultSource().orElse("");
      RunDirectory run = directory(TuneRuns.info(task, template, delta, chosen, train, dev, test));
      LanguageScore untuned = score(testSet, Patches.NONE, "untuned");
      AnswerScore untunedAnswers = answers(encoder, testSet, Patches.NONE, "untuned");
      TrainResult result = trained(delta, chosen, run, trainSet, devSet);
      LanguageScore tuned = score(testSet, delta.patches(), "tuned");
      AnswerScore tunedAnswers = answers(encoder, testSet, delta.patches(), "tuned");
      LanguageScores scores =
          untuned == null || tuned == null
              ? null
              : new LanguageScores(untuned, tuned, untunedAnswers, tunedAnswers);
      TunedText made = TunedText.of(task, this::knownTemplates, model(), delta, result, scores);
      if (run != null) {
        made.save(run.delta());
        long learnt = trainSet.examples().stream().mapToLong(TokenExample::learnt).sum();
        TuneRuns.report(run, made, trainSet.items().size(), learnt);
      }
      return made;
    } catch (RuntimeException e) {
      delta.close();
      throw e;
    }
  }

  private TrainResult trained(
      Delta delta,
      TrainSettings chosen,
      @Nullable RunDirectory run,
      TextEncoder.Encoded trainSet,
      TextEncoder.Encoded devSet) {
    LanguageObjective objective = new LanguageObjective();
    Trainer<TokenExample> trainer =
        new Trainer<>(delta, objective, chosen).reporting(trainersProgress());
    if (run != null) {
      trainer.in(run);
    }
    if (!devSet.items().isEmpty()) {
      trainer.losing(
          tuned -> objective.score(tuned.base(), devSet.examples(), tuned.patches()).loss());
    }
    return trainer.run(trainSet.examples());
  }

  private TextEncoder.Encoded encoded(TextEncoder encoder, TextData data, String what) {
    TextEncoder.Encoded found = encoder.encode(data);
    if (found.cut() > 0) {
      note(
          "%d of %d %s examples are longer than %d tokens and were cut"
              .formatted(found.cut(), found.items().size(), what, encoder.maxLength()));
    }
    if (found.leftOut() > 0) {
      note(
          "%d of %d %s examples are left out: too long, or nothing in them to learn"
              .formatted(found.leftOut(), found.leftOut() + found.items().size(), what));
    }
    return found;
  }

  private @Nullable LanguageScore score(
      TextEncoder.Encoded examples, Patches patches, String name) {
    if (examples.items().isEmpty()) {
      return null;
    }
    LanguageScore score =
        new LanguageObjective().score(model().model(), examples.examples(), patches);
    note(
        String.format(
            Locale.ROOT,
            "%s: loss %.4f, perplexity %.2f, token accuracy %.4f on %d test examples",
            name,
            score.loss(),
            score.perplexity(),
            score.accuracy(),
            score.examples()));
    return score;
  }

  private @Nullable AnswerScore answers(
      TextEncoder encoder, TextEncoder.Encoded examples, Patches patches, String name) {
    if (answers == 0) {
      return null;
    }
    List<TextEncoder.Item> some =
        examples.items().subList(0, Math.min(answers, examples.items().size()));
    AnswerScore score = new AnswerWriter(model(), encoder.ends()).answer(some, patches);
    note(
        String.format(
            Locale.ROOT,
            "%s: %d answers, ROUGE-L %.4f, exact %.4f",
            name,
            score.answers().size(),
            score.overlap(),
            score.exactMatch()));
    return score;
  }
}
