package io.trimtab.model.generate;

import java.util.Map;

/** What changes the scores of single tokens, in place, before any is left out. */
final class Penalties {
  private Penalties() {}

  /** Adds a number to the scores of some tokens. */
  static void bias(float[] scores, Map<Integer, Double> bias) {
    bias.forEach(
        (token, added) -> {
          GenerateException.check(
              token < scores.length,
              "a bias of token",
              token,
              "one of the model's " + scores.length + " tokens");
          scores[token] += added.floatValue();
        });
  }

  /** Forbids tokens; those that the model does not have are forbidden already. */
  static void forbid(float[] scores, Iterable<Integer> tokens) {
    for (int token : tokens) {
      if (token < scores.length) {
        scores[token] = Float.NEGATIVE_INFINITY;
      }
    }
  }

  /** Divides positive scores of tokens that were seen by the penalty, and multiplies others. */
  static void repetition(float[] scores, Iterable<Integer> seen, double penalty) {
    if (penalty == 1) {
      return;
    }
    for (int token : seen) {
      double score = scores[token];
      scores[token] = (float) (score < 0 ? score * penalty : score / penalty);
    }
  }

  /** Takes off {@code frequency} for each time a token was made, and {@code presence} once. */
  static void counted(
      float[] scores, Map<Integer, Integer> counts, double frequency, double presence) {
    if (frequency == 0 && presence == 0) {
      return;
    }
    counts.forEach((token, count) -> scores[token] -= (float) (frequency * count + presence));
  }
}
