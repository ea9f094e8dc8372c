package io.trimtab.train;

import java.util.List;

/**
 * How a training run went. The delta it was given holds the best parameters found.
 *
 * @param steps steps made over the whole run, resumed parts included
 * @param losses the mean loss of every step of the whole run
 * @param tokens tokens trained on by this process, without padding
 * @param seconds what that took, without scoring the dev data
 * @param bestStep the step whose parameters were kept; the last where there is no dev data
 * @param stoppedEarly whether patience ran out
 */
public record TrainResult(
    long steps,
    List<Double> losses,
    long tokens,
    double seconds,
    long bestStep,
    boolean stoppedEarly) {
  /** Copies the list. */
  public TrainResult {
    losses = List.copyOf(losses);
  }

  /** Tokens a second. */
  public double tokensPerSecond() {
    return seconds == 0 ? 0 : tokens / seconds;
  }
}
