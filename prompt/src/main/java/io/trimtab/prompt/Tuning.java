package io.trimtab.prompt;

import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.lora.Lora;
import io.trimtab.model.LanguageModel;
import io.trimtab.tensor.Rng;
import io.trimtab.train.Progress;
import io.trimtab.train.RunDirectory;
import io.trimtab.train.RunInfo;
import io.trimtab.train.Schedule;
import io.trimtab.train.SettingException;
import io.trimtab.train.TrainSettings;
import io.trimtab.train.Warmup;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * What all tuning of a small delta on a frozen model is told, whatever the task. It is set up and
 * run by one thread; the model may be in use elsewhere at the same time.
 *
 * @param <T> the kind of tuning, so that settings can be chained
 */
public abstract sealed class Tuning<T extends Tuning<T>> permits Tuner, TextTuner {
  /** The share of the steps in which the learning rate climbs. */
  private static final double WARMUP = 0.06;

  private final LanguageModel model;
  private DeltaSpec spec = Lora.rank(8);
  private TrainSettings settings;
  private boolean rateChosen;
  private boolean evaluationsChosen;
  private @Nullable Path out;
  private boolean resume;
  private Progress progress = Progress.none();

  Tuning(LanguageModel model, TrainSettings usual) {
    this.model = model;
    this.settings = usual;
  }

  abstract T self();

  /** Tunes another delta; LoRA of rank 8 on queries and values where nothing is said. */
  public final T delta(DeltaSpec value) {
    spec = value;
    return self();
  }

  /** Trains by these settings and no others. */
  public final T settings(TrainSettings value) {
    settings = value;
    rateChosen = true;
    evaluationsChosen = true;
    return self();
  }

  /** Goes over the training data so many times. */
  public final T epochs(int value) {
    settings = settings.epochs(value);
    return self();
  }

  /** Takes so many examples a step. */
  public final T batch(int value) {
    settings = settings.batch(value);
    return self();
  }

  /** Computes a step in so many parts, which takes less memory and changes nothing else. */
  public final T accumulation(int value) {
    settings = settings.accumulation(value);
    return self();
  }

  /**
   * Lets the learning rate climb to this and fall in a straight line; the delta method's own usual
   * rate where nothing is said.
   */
  public final T rate(double value) {
    settings = settings.schedule(Schedule.linear(value, Warmup.ratio(WARMUP)));
    rateChosen = true;
    return self();
  }

  /** Draws everything random from this seed; 1 where nothing is said. */
  public final T seed(long value) {
    settings = settings.seed(value);
    return self();
  }

  /** Records the run in a new or empty directory: see {@link RunDirectory}. */
  public final T into(Path directory) {
    out = directory;
    return self();
  }

  /**
   * Goes on with the run in the directory, to the same result as if it had never stopped; starts
   * one where there is none yet.
   */
  public final T resume(boolean value) {
    resume = value;
    return self();
  }

  /** Tells how it goes. */
  public final T progress(Progress to) {
    progress = to;
    return self();
  }

  final LanguageModel model() {
    return model;
  }

  final DeltaSpec spec() {
    return spec;
  }

  final TrainSettings settings() {
    return settings;
  }

  /** Other settings, whose rate counts as chosen as little or as much as before. */
  final T replace(TrainSettings changed) {
    settings = changed;
    return self();
  }

  /** What was set, with the usual in place of what was not. */
  final TrainSettings chosenSettings(boolean scored) {
    TrainSettings chosen = settings;
    if (!rateChosen) {
      double usual = spec.method().defaultRate();
      chosen = chosen.schedule(Schedule.linear(usual, Warmup.ratio(WARMUP)));
    }
    if (!evaluationsChosen && scored) {
      chosen = chosen.evaluations(chosen.epochs(), chosen.patience());
    }
    return chosen;
  }

  final void checkDirectory() {
    if (resume && out == null) {
      throw new SettingException(
          "found a run to resume and no directory, expected the run's; name it by into");
    }
  }

  /** The run's directory, new or that of the run to resume; null where nothing is recorded. */
  final @Nullable RunDirectory directory(RunInfo info) {
    Path path = out;
    if (path == null) {
      return null;
    }
    return resume && RunDirectory.isRun(path)
        ? RunDirectory.resume(path, info)
        : RunDirectory.create(path, info);
  }

  final void note(String line) {
    progress.note(line);
  }

  final void finished() {
    progress.close();
  }

  /** Progress that lives on after the trainer, which closes its own. */
  final Progress trainersProgress() {
    Progress to = progress;
    return new Progress() {
      @Override
      public void step(Step step) {
        to.step(step);
      }

      @Override
      public void note(String line) {
        to.note(line);
      }

      @Override
      public void close() {}
    };
  }

  /** A delta of the chosen method at its start. */
  final Delta attach(TrainSettings chosen) {
    return spec.attach(model.model(), Rng.seeded(chosen.seed()).derive(-1));
  }
}
