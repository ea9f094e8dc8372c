package io.trimtab.train;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * How well a model foretells the learnt tokens of some examples.
 *
 * @param loss the mean negative logarithmic probability of a token, in nats
 * @param accuracy the share of tokens that the model found likeliest
 * @param tokens how many tokens were foretold
 * @param examples how many examples they are from
 */
public record LanguageScore(double loss, double accuracy, long tokens, int examples) {
  /** exp(loss): as unsure as between so many equally likely tokens. */
  public double perplexity() {
    return Math.exp(loss);
  }

  /** As results name it. */
  public Map<String, Object> toMap() {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("loss", loss);
    map.put("perplexity", perplexity());
    map.put("token_accuracy", accuracy);
    map.put("tokens", tokens);
    map.put("examples", examples);
    return map;
  }
}
