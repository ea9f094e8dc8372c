package io.trimtab.train;

import org.jspecify.annotations.Nullable;

/**
 * How a language model did on the same test data before and after tuning.
 *
 * @param untuned how well it foretold it as it was
 * @param tuned and with the delta
 * @param untunedAnswers what it wrote itself as it was; null if it was not asked
 * @param tunedAnswers and with the delta, to the same prompts in the same order
 */
public record LanguageScores(
    LanguageScore untuned,
    LanguageScore tuned,
    @Nullable AnswerScore untunedAnswers,
    @Nullable AnswerScore tunedAnswers) {}
