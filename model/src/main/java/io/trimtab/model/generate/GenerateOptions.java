package io.trimtab.model.generate;

import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * How texts are made.
 *
 * @param sampling how each token is chosen
 * @param samples texts for each prompt
 * @param maxTokens the largest number of new tokens
 * @param minTokens tokens before which no text ends by itself
 * @param stop texts before which a text ends, also where one begins within a token
 * @param endTokens tokens that end a text; those that the model names, where empty
 * @param seed what everything random goes by
 * @param batch the largest number of texts that are computed together
 */
public record GenerateOptions(
    Sampling sampling,
    int samples,
    int maxTokens,
    int minTokens,
    List<String> stop,
    Optional<Set<Integer>> endTokens,
    long seed,
    int batch) {

  /** One text of up to 128 tokens, drawn from the model's own probabilities. */
  public static final GenerateOptions DEFAULT =
      new GenerateOptions(Sampling.PLAIN, 1, 128, 0, List.of(), Optional.empty(), 1, 16);

  /**
   * Checks every setting.
   *
   * @throws GenerateException where one is impossible
   */
  public GenerateOptions {
    GenerateException.check(samples >= 1, "samples", samples, "at least one");
    GenerateException.check(
        samples == 1 || !sampling.greedy(),
        "samples",
        samples,
        "one at temperature 0, where all would be the same");
    GenerateException.check(maxTokens >= 1, "max tokens", maxTokens, "at least one");
    GenerateException.check(
        minTokens >= 0 && minTokens <= maxTokens,
        "min tokens",
        minTokens,
        "0 to max tokens, " + maxTokens);
    GenerateException.check(
        stop.stream().noneMatch(String::isEmpty), "stop", "an empty text", "texts to stop at");
    GenerateException.check(batch >= 1, "batch", batch, "at least one text");
    stop = List.copyOf(stop);
    endTokens = endTokens.map(Set::copyOf);
  }

  /** The same with tokens chosen otherwise. */
  public GenerateOptions withSampling(Sampling value) {
    return new GenerateOptions(value, samples, maxTokens, minTokens, stop, endTokens, seed, batch);
  }

  /** The same with another number of texts for each prompt. */
  public GenerateOptions withSamples(int value) {
    return new GenerateOptions(sampling, value, maxTokens, minTokens, stop, endTokens, seed, batch);
  }

  /** The same with other numbers of new tokens. */
  public GenerateOptions withTokens(int min, int max) {
    return new GenerateOptions(sampling, samples, max, min, stop, endTokens, seed, batch);
  }

  /** The same with up to so many new tokens. */
  public GenerateOptions withMaxTokens(int value) {
    return withTokens(Math.min(minTokens, value), value);
  }

  /** The same with other texts to stop at. */
  public GenerateOptions withStop(String... values) {
    return new GenerateOptions(
        sampling, samples, maxTokens, minTokens, List.of(values), endTokens, seed, batch);
  }

  /** The same with other tokens that end a text; none where {@code values} is empty. */
  public GenerateOptions withEndTokens(Set<Integer> values) {
    return new GenerateOptions(
        sampling, samples, maxTokens, minTokens, stop, Optional.of(values), seed, batch);
  }

  /** The same with another seed. */
  public GenerateOptions withSeed(long value) {
    return new GenerateOptions(
        sampling, samples, maxTokens, minTokens, stop, endTokens, value, batch);
  }

  /** The same with up to so many texts computed together. */
  public GenerateOptions withBatch(int value) {
    return new GenerateOptions(
        sampling, samples, maxTokens, minTokens, stop, endTokens, seed, value);
  }
}
