package io.trimtab.model.generate;

import java.util.Map;
import java.util.TreeMap;

/**
 * How the next token is chosen from a model's scores. Applied in this order: bias, repetition
 * penalty, frequency and presence penalty, temperature, top-k, top-p, min-p, typical; then one of
 * the tokens left is drawn by its probability.
 *
 * @param temperature divides the scores, 0 to take the best one always
 * @param topK keeps so many of the best tokens, 0 for all
 * @param topP keeps the fewest tokens whose probabilities sum up to this (Holtzman et al., "The
 *     Curious Case of Neural Text Degeneration", 2020, section 3.1), 1 for all
 * @param minP keeps tokens of at least this part of the best one's probability (Nguyen et al.,
 *     "Turning Up the Heat: Min-p Sampling", 2024), 0 for all
 * @param typicalP keeps the tokens nearest to the expected information whose probabilities sum up
 *     to this (Meister et al., "Locally Typical Sampling", 2023, equation 9), 1 for all
 * @param repetitionPenalty divides positive and multiplies negative scores of tokens that the
 *     prompt or the text has (Keskar et al., "CTRL", 2019, section 4.1), 1 for none; what an
 *     encoder reads does not count
 * @param frequencyPenalty is taken off a token's score for each time the text has it
 * @param presencePenalty is taken off the score of each token that the text has
 * @param bias what is added to the scores of tokens; negative infinity forbids one
 */
public record Sampling(
    double temperature,
    int topK,
    double topP,
    double minP,
    double typicalP,
    double repetitionPenalty,
    double frequencyPenalty,
    double presencePenalty,
    Map<Integer, Double> bias) {

  /** The model's own probabilities. */
  public static final Sampling PLAIN = new Sampling(1, 0, 1, 0, 1, 1, 0, 0, Map.of());

  /** The best token always. */
  public static final Sampling GREEDY = PLAIN.withTemperature(0);

  /**
   * Checks every setting.
   *
   * @throws GenerateException where one is impossible
   */
  public Sampling {
    check(temperature >= 0, "temperature", temperature, "0 (the best token) or more", temperature);
    GenerateException.check(topK >= 0, "top-k", topK, "1 or more, or 0 for all tokens");
    check(topP > 0 && topP <= 1, "top-p", topP, "more than 0, up to 1 (all tokens)", topP);
    check(minP >= 0 && minP <= 1, "min-p", minP, "0 (all tokens) to 1", minP);
    check(
        typicalP > 0 && typicalP <= 1,
        "typical",
        typicalP,
        "more than 0, up to 1 (all tokens)",
        typicalP);
    check(
        repetitionPenalty > 0,
        "repetition penalty",
        repetitionPenalty,
        "more than 0; 1 is none",
        repetitionPenalty);
    check(true, "frequency penalty", frequencyPenalty, "a finite number", frequencyPenalty);
    check(true, "presence penalty", presencePenalty, "a finite number", presencePenalty);
    bias.forEach(
        (token, added) ->
            GenerateException.check(
                token >= 0 && !added.isNaN() && added != Double.POSITIVE_INFINITY,
                "bias",
                token + "=" + added,
                "a token's number, and a number or negative infinity"));
    bias = Map.copyOf(new TreeMap<>(bias));
  }

  private static void check(
      boolean right, String setting, Object found, String expected, double value) {
    GenerateException.check(right && Double.isFinite(value), setting, found, expected);
  }

  /** Whether nothing is drawn. */
  public boolean greedy() {
    return temperature == 0;
  }

  /** The same with another temperature. */
  public Sampling withTemperature(double value) {
    return new Sampling(
        value,
        topK,
        topP,
        minP,
        typicalP,
        repetitionPenalty,
        frequencyPenalty,
        presencePenalty,
        bias);
  }

  /** The same with another number of best tokens. */
  public Sampling withTopK(int value) {
    return new Sampling(
        temperature,
        value,
        topP,
        minP,
        typicalP,
        repetitionPenalty,
        frequencyPenalty,
        presencePenalty,
        bias);
  }

  /** The same with another sum of probabilities. */
  public Sampling withTopP(double value) {
    return new Sampling(
        temperature,
        topK,
        value,
        minP,
        typicalP,
        repetitionPenalty,
        frequencyPenalty,
        presencePenalty,
        bias);
  }

  /** The same with another part of the best probability. */
  public Sampling withMinP(double value) {
    return new Sampling(
        temperature,
        topK,
        topP,
        value,
        typicalP,
        repetitionPenalty,
        frequencyPenalty,
        presencePenalty,
        bias);
  }

  /** The same with another sum of typical probabilities. */
  public Sampling withTypicalP(double value) {
    return new Sampling(
        temperature,
        topK,
        topP,
        minP,
        value,
        repetitionPenalty,
        frequencyPenalty,
        presencePenalty,
        bias);
  }

  /** The same with other penalties. */
  public Sampling withPenalties(double repetition, double frequency, double presence) {
    return new Sampling(
        temperature, topK, topP, minP, typicalP, repetition, frequency, presence, bias);
  }

  /** The same with other numbers added to scores. */
  public Sampling withBias(Map<Integer, Double> value) {
    return new Sampling(
        temperature,
        topK,
        topP,
        minP,
        typicalP,
        repetitionPenalty,
        frequencyPenalty,
        presencePenalty,
        value);
  }

  /**
   * The next token.
   *
   * @param scores a model's scores of all tokens; they are changed
   * @param seen the tokens of prompt and text
   * @param counts how often the text alone has each token
   * @param draw where in [0, 1) to draw; of no meaning where this is {@linkplain #greedy greedy}
   */
  int choose(float[] scores, Iterable<Integer> seen, Map<Integer, Integer> counts, double draw) {
    Penalties.bias(scores, bias);
    Penalties.repetition(scores, seen, repetitionPenalty);
    Penalties.counted(scores, counts, frequencyPenalty, presencePenalty);
    Candidates all = Candidates.of(scores);
    return greedy()
        ? all.best()
        : all.temperature(temperature)
            .topK(topK)
            .topP(topP)
            .minP(minP)
            .typical(typicalP)
            .draw(draw);
  }
}
