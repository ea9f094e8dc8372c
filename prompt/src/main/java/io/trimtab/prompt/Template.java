package io.trimtab.prompt;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * A text with slots, such as <code>{text} It was {mask}.</code>: <code>{text}</code> is where the
 * text to classify goes and <code>{mask}</code> is the blank that the model fills, each exactly
 * once; <code>{{</code> and <code>}}</code> stand for literal braces. Everything else, blanks
 * included, is read by the model as it is.
 */
public final class Template {
  private final List<Segment> segments;

  private Template(List<Segment> segments) {
    this.segments = List.copyOf(segments);
  }

  /**
   * Reads a template.
   *
   * @throws PromptException.Syntax if a brace is not closed or not opened, a slot is unknown, or
   *     there is not exactly one mask or text; the message names the position, from 1
   */
  public static Template parse(String source) {
    List<Segment> segments = new ArrayList<>();
    StringBuilder words = new StringBuilder();
    int mask = -1;
    int text = -1;
    for (int at = 0; at < source.length(); ) {
      char c = source.charAt(at);
      if ((c == '{' || c == '}') && source.startsWith(String.valueOf(c), at + 1)) {
        words.append(c);
        at += 2;
        continue;
      }
      if (c == '}') {
        throw wrong(source, at, "found \"}\" that closes nothing", "write }} for a literal brace");
      }
      if (c != '{') {
        words.append(c);
        at++;
        continue;
      }
      int end = source.indexOf('}', at);
      if (end < 0) {
        throw wrong(source, at, "found \"{\" that is never closed", "write {{ for a literal brace");
      }
      String name = source.substring(at + 1, end).strip();
      Segment slot =
          switch (name) {
            case "text" -> new Segment.Text();
            case "mask" -> new Segment.Mask();
            default ->
                throw wrong(
                    source,
                    at,
                    "found the slot {" + name + "}",
                    "known slots are {text} and {mask}; write {{ for a literal brace");
          };
      int before = slot instanceof Segment.Mask ? mask : text;
      if (before >= 0) {
        throw wrong(
            source,
            at,
            "found a second " + slot.source() + " (the first is at position " + (before + 1) + ")",
            "a template has exactly one");
      }
      if (slot instanceof Segment.Mask) {
        mask = at;
      } else {
        text = at;
      }
      flush(words, segments);
      segments.add(slot);
      at = end + 1;
    }
    flush(words, segments);
    if (mask < 0 || text < 0) {
      throw new PromptException.Syntax(
          "found no %s in the template \"%s\", expected exactly one, as in \"{text} It was {mask}.\""
              .formatted(mask < 0 ? "{mask}" : "{text}", source));
    }
    return new Template(segments);
  }

  private static void flush(StringBuilder words, List<Segment> segments) {
    if (!words.isEmpty()) {
      segments.add(new Segment.Words(words.toString()));
      words.setLength(0);
    }
  }

  private static PromptException.Syntax wrong(String source, int at, String found, String hint) {
    return new PromptException.Syntax(
        "%s at position %d of the template \"%s\"; %s".formatted(found, at + 1, source, hint));
  }

  /** Its pieces, in order; fixed words never stand side by side. */
  public List<Segment> segments() {
    return segments;
  }

  /** How it is written; {@link #parse} reads it back. */
  public String source() {
    return segments.stream().map(Segment::source).collect(Collectors.joining());
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Template template && segments.equals(template.segments);
  }

  @Override
  public int hashCode() {
    return segments.hashCode();
  }

  @Override
  public String toString() {
    return source();
  }
}
