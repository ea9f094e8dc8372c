package io.trimtab.jinja;

import java.util.List;

/**
 * What a template was rendered to.
 *
 * @param text the whole text
 * @param generations the parts of it that a model is to write itself, as the template marks them by
 *     blocks
 */
public record Rendering(String text, List<Span> generations) {
  /** Copies the list. */
  public Rendering {
    generations = List.copyOf(generations);
  }

  /**
   * A part of the text.
   *
   * @param start its first UTF-16 unit
   * @param end the unit behind its last
   */
  public record Span(int start, int end) {}
}
