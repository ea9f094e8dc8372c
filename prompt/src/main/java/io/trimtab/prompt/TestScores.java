package io.trimtab.prompt;

import io.trimtab.train.ClassificationReport;

/**
 * How a model did on the same test data before and after tuning.
 *
 * @param untuned as it was
 * @param tuned with the delta
 */
public record TestScores(ClassificationReport untuned, ClassificationReport tuned) {}
