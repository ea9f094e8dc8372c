package io.trimtab.train;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * All that {@code report.html} shows.
 *
 * @param title what was done, in a few words
 * @param subtitle a sentence more
 * @param untuned the test result of the model as it was; null if it was not measured
 * @param tuned the test result after tuning, over the same examples; null if there was no test data
 * @param language the same of a language model, which foretells words; null for a classifier
 * @param cost what the run took
 * @param curves how training went
 * @param run settings, seeds, hashes, versions, machine
 */
public record Report(
    String title,
    String subtitle,
    @Nullable ClassificationReport untuned,
    @Nullable ClassificationReport tuned,
    @Nullable LanguageScores language,
    Cost cost,
    Curves curves,
    RunInfo run) {

  /** The report of a classifier. */
  public Report(
      String title,
      String subtitle,
      @Nullable ClassificationReport untuned,
      @Nullable ClassificationReport tuned,
      Cost cost,
      Curves curves,
      RunInfo run) {
    this(title, subtitle, untuned, tuned, null, cost, curves, run);
  }

  /**
   * What a run took.
   *
   * @param seconds wall-clock time of the training
   * @param tokensPerSecond tokens trained on per second, without padding
   * @param peakMemoryBytes the most memory that the process held
   * @param deltaBytes the size of the tuned delta's file
   */
  public record Cost(
      double seconds, double tokensPerSecond, long peakMemoryBytes, long deltaBytes) {}

  /**
   * A value at a step.
   *
   * @param step the step
   * @param value the value; may be NaN or infinite
   */
  public record Point(long step, double value) {}

  /**
   * How training went; what was not recorded is empty.
   *
   * @param loss the training loss
   * @param learningRate the learning rate
   * @param devAccuracy accuracy on the development data, from 0 to 1
   * @param devLoss the loss on the development data
   */
  public record Curves(
      List<Point> loss, List<Point> learningRate, List<Point> devAccuracy, List<Point> devLoss) {
    /** Without a loss on development data. */
    public Curves(List<Point> loss, List<Point> learningRate, List<Point> devAccuracy) {
      this(loss, learningRate, devAccuracy, List.of());
    }

    /** Keeps unmodifiable copies. */
    public Curves {
      devLoss = List.copyOf(devLoss);
      loss = List.copyOf(loss);
      learningRate = List.copyOf(learningRate);
      devAccuracy = List.copyOf(devAccuracy);
    }

    /**
     * From a run's metrics: {@code loss} and {@code rate} of the events "train", {@code accuracy}
     * or {@code loss} of the events "dev".
     */
    public static Curves of(List<RunEvent> events) {
      return new Curves(
          points(events, "train", "loss"),
          points(events, "train", "rate"),
          points(events, "dev", "accuracy"),
          points(events, "dev", "loss"));
    }

    private static List<Point> points(List<RunEvent> events, String kind, String value) {
      List<Point> points = new ArrayList<>();
      for (RunEvent event : events) {
        if (event.event().equals(kind)) {
          event.number(value).ifPresent(number -> points.add(new Point(event.step(), number)));
        }
      }
      return points;
    }
  }
}
