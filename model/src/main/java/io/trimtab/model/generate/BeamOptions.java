package io.trimtab.model.generate;

import java.util.Optional;
import java.util.Set;

/**
 * How the likeliest text is looked for.
 *
 * @param beams texts that are gone on with at each step
 * @param lengthPenalty the power of its number of tokens that a text's logarithmic probability is
 *     divided by: 0 for the probability itself, more for longer texts
 * @param maxTokens the largest number of new tokens
 * @param minTokens tokens before which no text ends by itself
 * @param endTokens tokens that end a text; those that the model names, where empty
 */
public record BeamOptions(
    int beams,
    double lengthPenalty,
    int maxTokens,
    int minTokens,
    Optional<Set<Integer>> endTokens) {
  /**
   * Checks every setting.
   *
   * @throws GenerateException where one is impossible
   */
  public BeamOptions {
    GenerateException.check(beams >= 1, "beams", beams, "at least one");
    GenerateException.check(
        Double.isFinite(lengthPenalty), "length penalty", lengthPenalty, "a finite number");
    GenerateException.check(maxTokens >= 1, "max tokens", maxTokens, "at least one");
    GenerateException.check(
        minTokens >= 0 && minTokens <= maxTokens,
        "min tokens",
        minTokens,
        "0 to max tokens, " + maxTokens);
    endTokens = endTokens.map(Set::copyOf);
  }

  /** So many beams, up to so many tokens, and the mean logarithmic probability as the measure. */
  public static BeamOptions of(int beams, int maxTokens) {
    return new BeamOptions(beams, 1, maxTokens, 0, Optional.empty());
  }
}
