package io.trimtab.train;

/**
 * What a model said about a labelled text.
 *
 * @param text the text
 * @param gold its true label
 * @param predicted the label that the model gave it
 * @param probability the model's probability of {@code predicted}, from 0 to 1; NaN if unknown
 */
public record Prediction(String text, String gold, String predicted, double probability) {
  /** Whether the model was right. */
  public boolean correct() {
    return gold.equals(predicted);
  }
}
