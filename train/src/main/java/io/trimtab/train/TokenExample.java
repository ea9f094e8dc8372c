package io.trimtab.train;

import java.util.Arrays;

/**
 * Tokens, and which of them a language model is to learn to foretell.
 *
 * @param source what an encoder reads; empty for a decoder alone
 * @param ids a decoder's tokens; of an encoder-decoder, the answer with the token that decoders
 *     start from in front
 * @param answered which of {@code ids} are learnt, as many; nothing foretells the first
 */
@SuppressWarnings("ArrayRecordComponent") // read-only by contract, and never compared
public record TokenExample(int[] source, int[] ids, boolean[] answered) {
  private static final int[] NONE = {};

  /** Checks that there are tokens, and for each of them whether it is learnt. */
  public TokenExample {
    if (ids.length == 0 || ids.length != answered.length) {
      throw new DataException(
          "found %d tokens, and for %d of them whether they are learnt; expected one or more, and as many"
              .formatted(ids.length, answered.length));
    }
  }

  /** Tokens of a decoder alone. */
  public static TokenExample of(int[] ids, boolean[] answered) {
    return new TokenExample(NONE, ids, answered);
  }

  /** Tokens of a decoder alone, of which all that can be are learnt. */
  public static TokenExample all(int[] ids) {
    boolean[] answered = new boolean[ids.length];
    Arrays.fill(answered, true);
    return of(ids, answered);
  }

  /** The number of tokens that go through the model. */
  public int length() {
    return source.length + read().length;
  }

  /** The decoder's tokens as far as one is learnt after them, and one at least. */
  int[] read() {
    int last = ids.length - 1;
    while (last > 1 && !answered[last]) {
      last--;
    }
    return Arrays.copyOf(ids, Math.max(1, last));
  }

  /** The numbers of the tokens that foretell a learnt one: those before. */
  int[] foretelling() {
    int[] at = new int[ids.length];
    int count = 0;
    for (int i = 1; i < ids.length; i++) {
      if (answered[i]) {
        at[count++] = i - 1;
      }
    }
    return Arrays.copyOf(at, count);
  }

  /** How many tokens are learnt. */
  public int learnt() {
    return foretelling().length;
  }
}
