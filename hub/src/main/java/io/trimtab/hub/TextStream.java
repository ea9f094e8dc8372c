package io.trimtab.hub;

import java.util.Arrays;

/**
 * Turns tokens into text one by one, as a model makes them. A token may be a part of a character,
 * and what one stands for may depend on those before it; text is given out as soon as it cannot
 * change any more, and what was given out together is what {@link Tokenizer#decode} would say of
 * all tokens. For one thread.
 */
public final class TextStream {
  /** Decoders put this for bytes that are no whole character (yet). */
  private static final char REPLACEMENT = '\uFFFD';

  /** No character has more bytes, so more tokens in a row cannot be one unfinished character. */
  private static final int MOST_BYTES = 4;

  private final Tokenizer tokenizer;
  private final boolean skipSpecial;
  // The first of these gave their text already; they are here as the context of the others.
  private int[] ids = new int[0];
  private int given;

  /** A stream that leaves special tokens out where {@code skipSpecial}. */
  public TextStream(Tokenizer tokenizer, boolean skipSpecial) {
    this.tokenizer = tokenizer;
    this.skipSpecial = skipSpecial;
  }

  /** The text that is certain now that {@code id} has come; may be empty. */
  public String add(int id) {
    ids = Arrays.copyOf(ids, ids.length + 1);
    ids[ids.length - 1] = id;
    String all = tokenizer.decode(ids, skipSpecial);
    boolean unfinished =
        !all.isEmpty()
            && all.charAt(all.length() - 1) == REPLACEMENT
            && ids.length - given < MOST_BYTES;
    return unfinished ? "" : take(all);
  }

  /** The text of what was held back, after the last token. */
  public String rest() {
    return given == ids.length ? "" : take(tokenizer.decode(ids, skipSpecial));
  }

  private String take(String all) {
    String before = tokenizer.decode(Arrays.copyOf(ids, given), skipSpecial);
    String fresh = all.startsWith(before) ? all.substring(before.length()) : all;
    if (!fresh.isEmpty()) {
      // Only a context that has text tells how a text goes on: some decoders strip the first blank.
      ids = Arrays.copyOfRange(ids, given, ids.length);
    }
    given = ids.length;
    return fresh;
  }
}
