package io.trimtab.model.generate;

/**
 * A text that a model made.
 *
 * @param text what comes after the prompt, without the text that it was stopped at
 * @param sequence its tokens; may reach into a text that it was stopped at
 */
public record Generated(String text, Sequence sequence) {}
