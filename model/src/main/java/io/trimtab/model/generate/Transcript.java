package io.trimtab.model.generate;

import io.trimtab.hub.TextStream;
import io.trimtab.hub.Tokenizer;
import java.util.List;

/**
 * The text of one continuation, token by token, up to the first text to stop at. What may be the
 * beginning of one is held back until that is certain.
 */
final class Transcript {
  private final TextStream stream;
  private final List<String> stops;
  private final StringBuilder text = new StringBuilder();
  private int given;
  private boolean stopped;

  Transcript(Tokenizer tokenizer, List<String> stops) {
    stream = new TextStream(tokenizer, true);
    this.stops = stops;
  }

  /** The text that is certain now that {@code token} has come; may be empty. */
  String add(int token) {
    return take(stream.add(token), false);
  }

  /** What was held back, after the last token. */
  String rest() {
    return stopped ? "" : take(stream.rest(), true);
  }

  /** Whether a text to stop at came. */
  boolean stopped() {
    return stopped;
  }

  /** All that is certain so far. */
  String text() {
    return text.substring(0, given);
  }

  private String take(String piece, boolean last) {
    text.append(piece);
    int until = text.length();
    for (String stop : stops) {
      int at = text.indexOf(stop, given);
      if (at >= 0 && at < until) {
        until = at;
        stopped = true;
      }
    }
    if (!stopped && !last) {
      until -= stops.stream().mapToInt(this::begun).max().orElse(0);
    }
    String certain = text.substring(given, until);
    given = until;
    return certain;
  }

  /** How much of {@code stop} the end of the text may be the beginning of. */
  private int begun(String stop) {
    int longest = Math.min(stop.length() - 1, text.length() - given);
    for (int length = longest; length > 0; length--) {
      if (stop.startsWith(text.substring(text.length() - length))) {
        return length;
      }
    }
    return 0;
  }
}
