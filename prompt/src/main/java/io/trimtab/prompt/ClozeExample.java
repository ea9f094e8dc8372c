package io.trimtab.prompt;

/**
 * A labelled text, ready for training.
 *
 * @param prompt its tokens
 * @param gold the index of its label
 */
public record ClozeExample(Prompt prompt, int gold) {}
