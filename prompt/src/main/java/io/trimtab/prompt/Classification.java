package io.trimtab.prompt;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.SequencedMap;

/**
 * What a model says about a text.
 *
 * @param label the likeliest label; the first of equally likely ones
 * @param probability its probability, from 0 to 1
 * @param probabilities of all labels, in the task's order; they sum to 1
 */
public record Classification(
    String label, double probability, SequencedMap<String, Double> probabilities) {
  /** Keeps an unmodifiable copy in the given order. */
  public Classification {
    probabilities = Collections.unmodifiableSequencedMap(new LinkedHashMap<>(probabilities));
  }
}
