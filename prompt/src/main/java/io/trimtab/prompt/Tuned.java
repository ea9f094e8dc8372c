package io.trimtab.prompt;

import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaFiles;
import io.trimtab.model.LanguageModel;
import io.trimtab.model.Models;
import io.trimtab.model.Patches;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Parameter;
import io.trimtab.train.ClassificationReport;
import io.trimtab.train.Example;
import io.trimtab.train.RunDirectory;
import io.trimtab.train.Table;
import io.trimtab.train.TrainResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A task on a model with a tuned delta. Immutable and safe for use by several threads until it is
 * closed, which frees the delta, and the model too if it was opened by {@link #open}.
 */
public final class Tuned implements AutoCloseable {
  private final ClozeClassifier classifier;
  private final LanguageModel model;
  private final boolean ownsModel;
  private final Delta delta;
  private final @Nullable TrainResult training;
  private final @Nullable TestScores test;

  private Tuned(
      ClozeClassifier classifier,
      LanguageModel model,
      boolean ownsModel,
      Delta delta,
      @Nullable TrainResult training,
      @Nullable TestScores test) {
    this.classifier = classifier;
    this.model = model;
    this.ownsModel = ownsModel;
    this.delta = delta;
    this.training = training;
    this.test = test;
  }

  static Tuned of(
      ClozeClassifier classifier,
      LanguageModel model,
      Delta delta,
      TrainResult training,
      @Nullable ClassificationReport untuned,
      @Nullable ClassificationReport tuned) {
    TestScores test = untuned == null || tuned == null ? null : new TestScores(untuned, tuned);
    return new Tuned(classifier, model, false, delta, training, test);
  }

  /**
   * Opens a tuned delta together with the model that it was tuned on, which is found by name: see
   * {@link Models#open(String)}.
   *
   * @param directory where it was saved, or the directory of its run
   * @throws PromptException.TaskFile if there is none
   * @throws io.trimtab.delta.DeltaException.BaseMismatch if the model of that name is another now
   */
  public static Tuned open(Path directory) {
    return open(directory, DType.F32, Device.CPU);
  }

  /** The same with the model's weights in the given type, on the given device. */
  public static Tuned open(Path directory, DType dtype, Device device) {
    LanguageModel model = Models.open(TaskFile.read(locate(directory)).base(), dtype, device);
    try {
      return load(directory, model, true);
    } catch (RuntimeException e) {
      model.close();
      throw e;
    }
  }

  /**
   * Puts a tuned delta on a model that is open already, and stays open when this is closed.
   *
   * @param directory where it was saved, or the directory of its run
   * @throws PromptException.TaskFile if there is none
   * @throws io.trimtab.delta.DeltaException.BaseMismatch if it was tuned on another model
   */
  public static Tuned load(Path directory, LanguageModel model) {
    return load(directory, model, false);
  }

  /** The name of the model that a saved delta was tuned on. */
  public static String baseOf(Path directory) {
    return TaskFile.read(locate(directory)).base();
  }

  private static Tuned load(Path directory, LanguageModel model, boolean owned) {
    Path files = locate(directory);
    TaskFile task = TaskFile.read(files);
    Delta delta = DeltaFiles.load(files, model.model());
    try {
      return new Tuned(new ClozeClassifier(model, task.cloze()), model, owned, delta, null, null);
    } catch (RuntimeException e) {
      delta.close();
      throw e;
    }
  }

  /** The directory of the delta's files, given it or that of its run. */
  static Path locate(Path directory) {
    if (!RunDirectory.isRun(directory)) {
      return directory;
    }
    Path inside = RunDirectory.open(directory).delta();
    if (!Files.isRegularFile(inside.resolve(TaskFile.NAME))) {
      throw new PromptException.TaskFile(
          "found a run in "
              + directory
              + " that has not finished, expected a tuned delta in it; resume the run first");
    }
    return inside;
  }

  /**
   * Saves the delta in the layout of Hugging Face PEFT, with the task beside it in {@code
   * task.json}.
   *
   * @throws io.trimtab.tensor.TrimtabException if it cannot be written
   */
  public void save(Path directory) {
    DeltaFiles.save(delta, directory);
    new TaskFile(delta.base().name(), classifier.cloze()).save(directory);
  }

  /** Classifies one text. */
  public Classification predict(String text) {
    return predict(List.of(text)).getFirst();
  }

  /** Classifies texts; as many results, in their order. */
  public List<Classification> predict(List<String> texts) {
    return classifier.predict(texts, delta.patches());
  }

  /**
   * Compares predictions with true labels.
   *
   * @throws io.trimtab.train.DataException if there are no examples, or a label is not the task's
   */
  public ClassificationReport evaluate(List<Example> examples) {
    return classifier.evaluate("test data", examples, delta.patches());
  }

  /** The same for the table's columns "text" and "label". */
  public ClassificationReport evaluate(Table table) {
    return evaluate(table, "text", "label");
  }

  /** The same for two columns of a table, whose lines errors name. */
  public ClassificationReport evaluate(Table table, String textColumn, String labelColumn) {
    return classifier.evaluate(
        table.name(), table.examples(textColumn, labelColumn), delta.patches());
  }

  /** Compares what the model says without the delta with true labels. */
  public ClassificationReport untuned(List<Example> examples) {
    return classifier.evaluate("test data", examples, Patches.NONE);
  }

  /** The same for two columns of a table. */
  public ClassificationReport untuned(Table table, String textColumn, String labelColumn) {
    return classifier.evaluate(table.name(), table.examples(textColumn, labelColumn), Patches.NONE);
  }

  /** The task on its model, for use with other deltas or none. */
  public ClozeClassifier classifier() {
    return classifier;
  }

  /** The task. */
  public Cloze cloze() {
    return classifier.cloze();
  }

  /** The tuned delta. */
  public Delta delta() {
    return delta;
  }

  /** The model it is on. */
  public LanguageModel model() {
    return model;
  }

  /** What users call the delta's method, such as {@code lora}. */
  public String method() {
    return delta.spec().method().name();
  }

  /** The bytes that the delta's numbers take. */
  public long deltaBytes() {
    return delta.parameters().stream().map(Parameter::value).mapToLong(t -> t.byteSize()).sum();
  }

  /** How training went; empty for a delta that was loaded. */
  public Optional<TrainResult> training() {
    return Optional.ofNullable(training);
  }

  /** The scores on the tuner's test data; empty where there was none. */
  public Optional<TestScores> test() {
    return Optional.ofNullable(test);
  }

  @Override
  public void close() {
    delta.close();
    if (ownsModel) {
      model.close();
    }
  }

  @Override
  public String toString() {
    return "Tuned[" + classifier.cloze() + ", " + delta + "]";
  }
}
