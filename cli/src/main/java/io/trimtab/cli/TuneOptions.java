package io.trimtab.cli;

import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.RateAdvice;
import io.trimtab.train.Schedule;
import io.trimtab.train.TrainSettings;
import io.trimtab.train.Warmup;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** How long and how fast to train. */
final class TuneOptions {
  /** Times over the data and examples a step, where nothing is said. */
  record Usual(int epochs, int batch) {
    static final Usual TO_CLASSIFY = new Usual(10, 32);
    static final Usual TO_WRITE = new Usual(3, 8);
  }

  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec;

  @Option(
      names = "--epochs",
      paramLabel = "N",
      description = "Times over the training data (default: 10 to classify, else 3).")
  private @Nullable Integer epochs;

  @Option(
      names = "--batch",
      paramLabel = "N",
      description = "Examples a step (default: 32 to classify, else 8).")
  private @Nullable Integer batch;

  @Option(
      names = "--batch-tokens",
      paramLabel = "N",
      defaultValue = "0",
      description = "The most tokens a step, of fewer examples then (default: any number).")
  private int batchTokens;

  @Option(
      names = "--accumulate",
      paramLabel = "N",
      defaultValue = "1",
      description = "Micro-batches a step is computed in (default: ${DEFAULT-VALUE}).")
  private int accumulate;

  @Option(
      names = "--rate",
      paramLabel = "RATE",
      description = "The highest learning rate (default: the delta method's usual one).")
  private @Nullable Double rate;

  @Option(
      names = "--schedule",
      paramLabel = "NAME",
      defaultValue = "linear",
      description = "linear, cosine or constant (default: ${DEFAULT-VALUE}).")
  private String schedule;

  @Option(
      names = "--warmup",
      paramLabel = "SHARE",
      defaultValue = "0.06",
      description = "The share of steps in which the rate climbs (default: ${DEFAULT-VALUE}).")
  private double warmup;

  @Option(
      names = "--decay",
      paramLabel = "W",
      defaultValue = "0.01",
      description = "AdamW's weight decay (default: ${DEFAULT-VALUE}).")
  private double decay;

  @Option(
      names = "--clip",
      paramLabel = "NORM",
      defaultValue = "1",
      description = "The largest norm of the gradients, 0 for none (default: ${DEFAULT-VALUE}).")
  private double clip;

  @Option(
      names = "--shots",
      paramLabel = "K",
      defaultValue = "0",
      description = "Learn from K examples of each class only, drawn by the seed (default: all).")
  private int shots;

  @Option(
      names = "--evaluations",
      paramLabel = "N",
      description = "Times the dev data is scored (default: once an epoch).")
  private @Nullable Integer evaluations;

  @Option(
      names = "--patience",
      paramLabel = "N",
      defaultValue = "0",
      description = "Stop after N scores of the dev data without a better one (default: never).")
  private int patience;

  @Option(names = "--resume", description = "Go on with the run in --out.")
  private boolean resume;

  int shots() {
    return shots;
  }

  /** For a task that has no classes to draw the same number of examples from. */
  void refuseShots() {
    if (shots != 0) {
      throw new CommandLine.ParameterException(
          spec.commandLine(), "found --shots without classes, expected it with --task classify");
    }
  }

  boolean resume() {
    return resume;
  }

  /** A warning where the rate is far from the method's usual one. */
  Optional<String> advice(DeltaSpec delta) {
    return rate == null ? Optional.empty() : RateAdvice.of(delta.method(), rate);
  }

  /**
   * The settings.
   *
   * @param scored whether there is development data
   * @param usual where nothing is said of epochs and batches
   */
  TrainSettings settings(DeltaSpec delta, long seed, boolean scored, Usual usual) {
    if (!scored && (evaluations != null || patience > 0)) {
      throw new CommandLine.ParameterException(
          spec.commandLine(),
          "found "
              + (patience > 0 ? "--patience" : "--evaluations")
              + " without --dev, expected the data to score");
    }
    double peak = rate == null ? delta.method().defaultRate() : rate;
    Warmup climb = Warmup.ratio(warmup);
    Schedule chosen =
        switch (schedule.toLowerCase(Locale.ROOT)) {
          case "linear" -> Schedule.linear(peak, climb);
          case "cosine" -> Schedule.cosine(peak, climb);
          case "constant" -> Schedule.constant(peak, climb);
          default ->
              throw new CommandLine.ParameterException(
                  spec.commandLine(),
                  "found --schedule " + schedule + ", expected linear, cosine or constant");
        };
    int times = epochs == null ? usual.epochs() : epochs;
    int scores = evaluations == null ? (scored ? times : 0) : evaluations;
    return new TrainSettings(
        times,
        batch == null ? usual.batch() : batch,
        accumulate,
        chosen,
        decay,
        clip,
        seed,
        scores,
        patience,
        30,
        batchTokens);
  }
}
