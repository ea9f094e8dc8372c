package io.trimtab.train;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a model wrote in answer to examples.
 *
 * @param answers one for each, at least one
 */
public record AnswerScore(List<Answer> answers) {
  /** Copies the list. */
  public AnswerScore {
    answers = List.copyOf(answers);
    if (answers.isEmpty()) {
      throw new DataException("found no answers, expected at least one");
    }
  }

  /** The share of answers that are exactly the expected ones. */
  public double exactMatch() {
    return answers.stream().mapToDouble(answer -> answer.isExact() ? 1 : 0).average().orElseThrow();
  }

  /** The mean {@linkplain Answer#overlap overlap} of words. */
  public double overlap() {
    return answers.stream().mapToDouble(Answer::overlap).average().orElseThrow();
  }

  /** As results name it. */
  public Map<String, Object> toMap() {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("count", answers.size());
    map.put("exact_match", exactMatch());
    map.put("rouge_l", overlap());
    return map;
  }
}
