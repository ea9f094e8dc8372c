package io.trimtab.cli;

import io.trimtab.model.generate.Sampling;
import java.util.LinkedHashMap;
import java.util.Map;
import picocli.CommandLine.Option;

/** How each token is chosen. */
final class SamplingOptions {
  @Option(
      names = "--temperature",
      paramLabel = "T",
      defaultValue = "1",
      description = "Divide the scores; 0 takes the best token always (default: ${DEFAULT-VALUE}).")
  private double temperature;

  @Option(
      names = "--top-k",
      paramLabel = "K",
      defaultValue = "0",
      description = "Draw from the K best tokens; 0 for all (default: ${DEFAULT-VALUE}).")
  private int topK;

  @Option(
      names = "--top-p",
      paramLabel = "P",
      defaultValue = "1",
      description =
          "Draw from the fewest tokens whose probabilities sum up to P (default:"
              + " ${DEFAULT-VALUE}).")
  private double topP;

  @Option(
      names = "--min-p",
      paramLabel = "P",
      defaultValue = "0",
      description =
          "Draw from tokens of at least this part of the best one's probability (default:"
              + " ${DEFAULT-VALUE}).")
  private double minP;

  @Option(
      names = "--typical",
      paramLabel = "P",
      defaultValue = "1",
      description =
          "Draw from the tokens nearest to the expected information whose probabilities sum up to"
              + " P (default: ${DEFAULT-VALUE}).")
  private double typical;

  @Option(
      names = "--repetition-penalty",
      paramLabel = "X",
      defaultValue = "1",
      description =
          "Divide positive and multiply negative scores of tokens that were there (default:"
              + " ${DEFAULT-VALUE}).")
  private double repetition;

  @Option(
      names = "--frequency-penalty",
      paramLabel = "X",
      defaultValue = "0",
      description = "Take X off a token's score each time it was made (default: ${DEFAULT-VALUE}).")
  private double frequency;

  @Option(
      names = "--presence-penalty",
      paramLabel = "X",
      defaultValue = "0",
      description = "Take X off the score of each token made (default: ${DEFAULT-VALUE}).")
  private double presence;

  @Option(
      names = "--bias",
      paramLabel = "ID=X",
      split = ",",
      description = "Add X to the score of the token of this number; -Infinity forbids it.")
  private Map<Integer, Double> bias = new LinkedHashMap<>();

  Sampling sampling() {
    return new Sampling(
        temperature, topK, topP, minP, typical, repetition, frequency, presence, bias);
  }
}
