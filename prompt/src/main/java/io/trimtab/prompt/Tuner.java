package io.trimtab.prompt;

import io.trimtab.delta.Delta;
import io.trimtab.model.LanguageModel;
import io.trimtab.model.Patches;
import io.trimtab.train.ClassificationReport;
import io.trimtab.train.DataException;
import io.trimtab.train.Example;
import io.trimtab.train.FewShot;
import io.trimtab.train.RunDirectory;
import io.trimtab.train.RunInfo;
import io.trimtab.train.SettingException;
import io.trimtab.train.Table;
import io.trimtab.train.TrainResult;
import io.trimtab.train.TrainSettings;
import io.trimtab.train.Trainer;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Tunes a small delta on a frozen model for a task.
 *
 * <pre>{@code
 * try (LanguageModel bert = Models.open("bert-base-uncased");
 *     Tuned tuned =
 *         Tuner.of(bert, task).delta(Lora.rank(8)).train(Table.read(path)).fewShot(16).run()) {
 *   System.out.println(tuned.evaluate(Table.read(test)).table());
 *   tuned.save(directory);
 * }
 * }</pre>
 *
 * A tuner is set up and run by one thread; the model may be in use elsewhere at the same time.
 * Where nothing is said it goes over the data 10 times, 32 examples a step.
 */
public final class Tuner extends Tuning<Tuner> {
  /** Labelled texts and what errors call them. */
  private record Data(String source, List<Example> examples) {
    static final Data NONE = new Data("", List.of());

    static Data of(Table table, String text, String label) {
      return new Data(table.name(), table.examples(text, label));
    }
  }

  private final Cloze cloze;
  private Data train = Data.NONE;
  private Data dev = Data.NONE;
  private Data test = Data.NONE;
  private int shots;

  private Tuner(LanguageModel model, Cloze cloze) {
    super(model, TrainSettings.usual(1));
    this.cloze = cloze;
  }

  @Override
  Tuner self() {
    return this;
  }

  /** A tuner of LoRA of rank 8 on query and value, which is what most tasks need. */
  public static Tuner of(LanguageModel model, Cloze cloze) {
    return new Tuner(model, cloze);
  }

  /** A tuner for what a language model is to write. */
  public static TextTuner of(LanguageModel model, TextTask task) {
    return new TextTuner(model, task);
  }

  /** Learns from these examples. */
  public Tuner train(List<Example> examples) {
    train = new Data("training data", List.copyOf(examples));
    return this;
  }

  /** Learns from the table's columns "text" and "label". */
  public Tuner train(Table table) {
    return train(table, "text", "label");
  }

  /** Learns from two columns of a table. */
  public Tuner train(Table table, String textColumn, String labelColumn) {
    train = Data.of(table, textColumn, labelColumn);
    return this;
  }

  /** Learns from so many examples of each class, drawn by the seed; from all where it is 0. */
  public Tuner fewShot(int perClass) {
    if (perClass < 0) {
      throw new SettingException(
          "found %d examples a class, expected 0 for all or more".formatted(perClass));
    }
    shots = perClass;
    return this;
  }

  /** Keeps the parameters that are best on these examples, scored once an epoch. */
  public Tuner dev(List<Example> examples) {
    dev = new Data("development data", List.copyOf(examples));
    return this;
  }

  /** The same from two columns of a table. */
  public Tuner dev(Table table, String textColumn, String labelColumn) {
    dev = Data.of(table, textColumn, labelColumn);
    return this;
  }

  /** Scores the model on these examples before and after tuning, for the report. */
  public Tuner test(List<Example> examples) {
    test = new Data("test data", List.copyOf(examples));
    return this;
  }

  /** The same from two columns of a table. */
  public Tuner test(Table table, String textColumn, String labelColumn) {
    test = Data.of(table, textColumn, labelColumn);
    return this;
  }

  /**
   * Tunes.
   *
   * @return the tuned model, which the caller closes
   * @throws DataException if there is no training data, or a label is not one of the task's
   * @throws PromptException if the task does not fit the model
   * @throws io.trimtab.delta.DeltaException if the delta does not fit the model
   * @throws io.trimtab.train.RunException if the run's directory cannot be used
   * @throws io.trimtab.train.TrainingException if training cannot go on
   */
  public Tuned run() {
    try {
      return tune();
    } finally {
      finished();
    }
  }

  private Tuned tune() {
    checkDirectory();
    ClozeClassifier classifier = new ClozeClassifier(model(), cloze);
    List<Example> examples = chosenExamples(classifier);
    // All data is checked before anything takes long.
    classifier.labels().encode(test.source(), test.examples());
    List<ClozeExample> devSet = classifier.encode(dev.source(), dev.examples());
    List<ClozeExample> trainSet = classifier.encode(train.source(), examples);
    noteWhatIsShort(classifier, examples, trainSet);
    TrainSettings chosen = chosenSettings(!devSet.isEmpty());
    Delta delta = attach(chosen);
    try {
      RunInfo info = info(delta, chosen, examples);
      RunDirectory run = directory(info);
      ClassificationReport untuned = score(classifier, Patches.NONE, "untuned");
      Trainer<ClozeExample> trainer =
          new Trainer<>(delta, classifier.objective(), chosen).reporting(trainersProgress());
      if (run != null) {
        trainer.in(run);
      }
      if (!devSet.isEmpty()) {
        trainer.scoredBy(accuracy(classifier, devSet));
      }
      TrainResult result = trainer.run(trainSet);
      ClassificationReport tuned = score(classifier, delta.patches(), "tuned");
      Tuned out = Tuned.of(classifier, model(), delta, result, untuned, tuned);
      if (run != null) {
        out.save(run.delta());
        TuneRuns.report(run, out, cloze, examples.size());
      }
      return out;
    } catch (RuntimeException e) {
      delta.close();
      throw e;
    }
  }

  private List<Example> chosenExamples(ClozeClassifier classifier) {
    if (train.examples().isEmpty()) {
      throw new DataException("found no training data, expected some; name it by train");
    }
    // Before drawing, so that an unknown label is named with its line and not as a rare class.
    classifier.labels().encode(train.source(), train.examples());
    return shots == 0
        ? train.examples()
        : FewShot.sample(train.examples(), shots, settings().seed()).picked();
  }

  private void noteWhatIsShort(
      ClozeClassifier classifier, List<Example> examples, List<ClozeExample> encoded) {
    Set<String> unseen = new TreeSet<>(classifier.labels().names());
    examples.forEach(example -> unseen.remove(example.label()));
    if (!unseen.isEmpty()) {
      note("no training example has the label(s) " + String.join(", ", unseen));
    }
    long cut = encoded.stream().filter(e -> e.prompt().lost() > 0).count();
    if (cut > 0) {
      note(
          "%d of %d training texts are longer than %d tokens with their template and were cut"
              .formatted(cut, encoded.size(), classifier.maxLength()));
    }
  }

  private RunInfo info(Delta delta, TrainSettings chosen, List<Example> examples) {
    return TuneRuns.info(cloze, delta, chosen, shots, examples, dev.examples(), test.examples());
  }

  private @Nullable ClassificationReport score(
      ClozeClassifier classifier, Patches patches, String name) {
    if (test.examples().isEmpty()) {
      return null;
    }
    ClassificationReport report = classifier.evaluate(test.source(), test.examples(), patches);
    note(
        String.format(
            Locale.ROOT,
            "%s: accuracy %.4f, macro F1 %.4f on %d test examples",
            name,
            report.accuracy(),
            report.macroF1(),
            report.count()));
    return report;
  }

  private static ToDoubleFunction<Delta> accuracy(
      ClozeClassifier classifier, List<ClozeExample> examples) {
    List<Prompt> prompts = examples.stream().map(ClozeExample::prompt).collect(Collectors.toList());
    return delta -> {
      List<Classification> said = classifier.classify(prompts, delta.patches());
      double right = 0;
      for (int i = 0; i < said.size(); i++) {
        right += classifier.labels().index(said.get(i).label()) == examples.get(i).gold() ? 1 : 0;
      }
      return right / said.size();
    };
  }
}
