package io.trimtab.jinja;

/**
 * What a template may use. Each bound that is reached is a {@link JinjaException.LimitExceeded}.
 *
 * @param steps evaluated nodes of the tree, passes of loops, and a step for each 16 characters or
 *     items that an operation looks at; this bounds the time
 * @param memory bytes of all values made in a rendering together, by a generous estimate
 * @param valueSize characters of a text, or items of a list or dictionary
 * @param output characters of the rendered text
 * @param depth nesting of nodes while they are evaluated, macros' calls of macros included; and
 *     nesting of values. Source may be nested a third as deeply
 * @param source characters of the template
 */
public record Limits(long steps, long memory, int valueSize, int output, int depth, int source) {
  /**
   * Room for conversations of a million characters and more; a hostile template ends within seconds
   * and leaves a heap of 256 MB enough.
   */
  public static final Limits DEFAULT =
      new Limits(10_000_000, 160L << 20, 8 << 20, 8 << 20, 300, 1 << 18);

  /** Refuses bounds that leave no room at all. */
  public Limits {
    if (steps < 1 || memory < 1 || valueSize < 1 || output < 1 || depth < 3 || source < 1) {
      throw new JinjaException.WrongValue(
          "expected limits of at least 1 each and a depth of at least 3, found steps %d, memory %d, value size %d, output %d, depth %d, source %d"
              .formatted(steps, memory, valueSize, output, depth, source));
    }
  }
}
