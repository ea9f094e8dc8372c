package io.trimtab.prompt;

/** One piece of a template. */
public sealed interface Segment {
  /** How a template's text spells it. */
  String source();

  /**
   * Fixed words.
   *
   * @param text as the model reads it, with literal braces
   */
  record Words(String text) implements Segment {
    @Override
    public String source() {
      return text.replace("{", "{{").replace("}", "}}");
    }
  }

  /** Where the text to classify goes; the only piece that is shortened where room is short. */
  record Text() implements Segment {
    @Override
    public String source() {
      return "{text}";
    }
  }

  /** The blank that the model fills. */
  record Mask() implements Segment {
    @Override
    public String source() {
      return "{mask}";
    }
  }
}
