package io.trimtab.cli;

import io.trimtab.train.AnswerScore;
import io.trimtab.train.LanguageScore;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How a language model did, as commands show it.
 *
 * @param score how well it foretold
 * @param answers what it wrote, or null where it was not asked
 */
record TextScores(LanguageScore score, @Nullable AnswerScore answers) {
  String line(String name) {
    String line =
        String.format(
            Locale.ROOT,
            "%-9s loss %.4f   perplexity %.2f   token accuracy %.1f %%",
            name,
            score.loss(),
            score.perplexity(),
            100 * score.accuracy());
    return answers == null
        ? line
        : line
            + String.format(
                Locale.ROOT,
                "   answers: ROUGE-L %.1f %%, exact %.1f %%",
                100 * answers.overlap(),
                100 * answers.exactMatch());
  }

  Map<String, Object> toMap() {
    Map<String, Object> map = score.toMap();
    if (answers != null) {
      map.put("answers", answers.toMap());
    }
    return map;
  }
}
