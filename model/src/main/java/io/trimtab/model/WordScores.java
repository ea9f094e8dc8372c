package io.trimtab.model;

/**
 * How well a model foretold words.
 *
 * @param logProbability of all of them
 * @param hits how many of them the model found likeliest
 * @param words how many there are
 */
public record WordScores(double logProbability, int hits, int words) {}
