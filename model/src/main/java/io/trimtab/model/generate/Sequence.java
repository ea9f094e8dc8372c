package io.trimtab.model.generate;

import java.util.List;

/**
 * A continuation in token numbers.
 *
 * @param prompt the number of its prompt, from 0
 * @param sample its number among those of the prompt, from 0
 * @param tokens what was made, without the token that ended it
 * @param logProbabilities of each token, and of the one that ended it, in the model's own
 *     distribution, whatever the sampling made of it
 * @param end why it ended
 */
public record Sequence(
    int prompt, int sample, List<Integer> tokens, List<Double> logProbabilities, End end) {
  /** Copies the lists. */
  public Sequence {
    tokens = List.copyOf(tokens);
    logProbabilities = List.copyOf(logProbabilities);
  }

  /** Its logarithmic probability. */
  public double logProbability() {
    return logProbabilities.stream().mapToDouble(Double::doubleValue).sum();
  }
}
