package io.trimtab.prompt;

import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaFiles;
import io.trimtab.hub.ChatTemplates;
import io.trimtab.hub.Hub;
import io.trimtab.model.LanguageModel;
import io.trimtab.model.Models;
import io.trimtab.model.Patches;
import io.trimtab.model.generate.Generator;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Parameter;
import io.trimtab.train.AnswerScore;
import io.trimtab.train.LanguageObjective;
import io.trimtab.train.LanguageScore;
import io.trimtab.train.LanguageScores;
import io.trimtab.train.TrainResult;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A language model with a delta tuned for what it is to write. Immutable and safe for use by
 * several threads until it is closed, which frees the delta, and the model too if it was opened by
 * {@link #open}.
 */
public final class TunedText implements AutoCloseable {
  private final TextTask task;
  private final Supplier<ChatTemplates> templates;
  private final LanguageModel model;
  private final boolean ownsModel;
  private final Delta delta;
  private final @Nullable TrainResult training;
  private final @Nullable LanguageScores test;

  private TunedText(
      TextTask task,
      Supplier<ChatTemplates> templates,
      LanguageModel model,
      boolean ownsModel,
      Delta delta,
      @Nullable TrainResult training,
      @Nullable LanguageScores test) {
    this.task = task;
    this.templates = templates;
    this.model = model;
    this.ownsModel = ownsModel;
    this.delta = delta;
    this.training = training;
    this.test = test;
  }

  static TunedText of(
      TextTask task,
      Supplier<ChatTemplates> templates,
      LanguageModel model,
      Delta delta,
      TrainResult training,
      @Nullable LanguageScores test) {
    return new TunedText(task, templates, model, false, delta, training, test);
  }

  /** Whether a directory, or the run in it, has a delta of a language model rather than another. */
  public static boolean isIn(Path directory) {
    return TextTaskFile.isThere(directory) || TextTaskFile.isThere(directory.resolve("delta"));
  }

  /** The name of the model that a saved delta was tuned on. */
  public static String baseOf(Path directory) {
    return TextTaskFile.read(Tuned.locate(directory)).base();
  }

  /** The task that a saved delta was tuned for. */
  public static TextTask taskOf(Path directory) {
    return TextTaskFile.read(Tuned.locate(directory)).task();
  }

  /**
   * Opens a tuned delta together with the model that it was tuned on, which is found by name: see
   * {@link Models#open(String)}.
   *
   * @param directory where it was saved, or the directory of its run
   * @throws PromptException.TaskFile if there is none
   * @throws io.trimtab.delta.DeltaException.BaseMismatch if the model of that name is another now
   */
  public static TunedText open(Path directory) {
    return open(directory, DType.F32, Device.CPU);
  }

  /** The same with the model's weights in the given type, on the given device. */
  public static TunedText open(Path directory, DType dtype, Device device) {
    LanguageModel model = Models.open(baseOf(directory), dtype, device);
    try {
      return load(directory, model, ofModel(model), true);
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
  public static TunedText load(Path directory, LanguageModel model) {
    return load(directory, model, ofModel(model), false);
  }

  /** The same with chat templates of the caller's. */
  public static TunedText load(Path directory, LanguageModel model, ChatTemplates templates) {
    return load(directory, model, () -> templates, false);
  }

  private static Supplier<ChatTemplates> ofModel(LanguageModel model) {
    return () -> Hub.open(model.name()).chatTemplates();
  }

  private static TunedText load(
      Path directory, LanguageModel model, Supplier<ChatTemplates> templates, boolean owned) {
    Path files = Tuned.locate(directory);
    TextTask task = TextTaskFile.read(files).task();
    Delta delta = DeltaFiles.load(files, model.model());
    return new TunedText(task, templates, model, owned, delta, null, null);
  }

  /**
   * Saves the delta in the layout of Hugging Face PEFT, with the task beside it in {@code
   * task.json}.
   *
   * @throws io.trimtab.tensor.TrimtabException if it cannot be written
   */
  public void save(Path directory) {
    DeltaFiles.save(delta, directory);
    new TextTaskFile(delta.base().name(), task).save(directory);
  }

  /**
   * How well it foretells what is to be learnt of some data.
   *
   * @throws io.trimtab.train.DataException if there is none
   */
  public LanguageScore score(TextData data) {
    return score(model, task, templates, data, delta.patches());
  }

  /**
   * How well a model as it is does at a task.
   *
   * @throws io.trimtab.train.DataException if there is no data
   */
  public static LanguageScore untuned(
      LanguageModel model, TextTask task, ChatTemplates templates, TextData data) {
    return score(model, task, () -> templates, data, Patches.NONE);
  }

  private static LanguageScore score(
      LanguageModel model,
      TextTask task,
      Supplier<ChatTemplates> templates,
      TextData data,
      Patches patches) {
    TextEncoder encoder = new TextEncoder(model, task, templates);
    return new LanguageObjective().score(model.model(), encoder.encode(data).examples(), patches);
  }

  /** What it writes in answer to the first so many examples, the likeliest token at a time. */
  public AnswerScore answers(TextData data, int count) {
    return answers(model, task, templates, data, count, delta.patches());
  }

  /** What a model as it is writes in answer to the first so many examples. */
  public static AnswerScore untunedAnswers(
      LanguageModel model, TextTask task, ChatTemplates templates, TextData data, int count) {
    return answers(model, task, () -> templates, data, count, Patches.NONE);
  }

  private static AnswerScore answers(
      LanguageModel model,
      TextTask task,
      Supplier<ChatTemplates> templates,
      TextData data,
      int count,
      Patches patches) {
    TextEncoder encoder = new TextEncoder(model, task, templates);
    List<TextEncoder.Item> items = encoder.encode(data).items();
    return new AnswerWriter(model, encoder.ends())
        .answer(items.subList(0, Math.min(count, items.size())), patches);
  }

  /** Goes on with texts as the tuned model does. */
  public Generator generator() {
    return Generator.of(model).with(delta.patches());
  }

  /** The task. */
  public TextTask task() {
    return task;
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
  public Optional<LanguageScores> test() {
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
    return "TunedText[" + task + ", " + delta + "]";
  }
}
