package io.trimtab.hub;

import io.trimtab.hub.EncodeOptions.TruncationSide;

/** Cuts an encoding down to a length without touching the tokens that the tokenizer added. */
final class Truncation {
  private Truncation() {}

  /**
   * {@code encoding} with at most {@code options.maxLength()} tokens.
   *
   * @throws HubException when the strategy cannot reach that length
   */
  static Encoding apply(Encoding encoding, EncodeOptions options) {
    if (encoding.length() <= options.maxLength()) {
      return encoding;
    }
    int[] lengths = new int[2];
    int added = 0;
    for (int i = 0; i < encoding.length(); i++) {
      int sequence = encoding.sequence(i);
      if (sequence < 0) {
        added++;
      } else {
        lengths[sequence]++;
      }
    }
    int room = options.maxLength() - added;
    int[] keep = room < 0 ? new int[] {-1, -1} : share(lengths[0], lengths[1], room, options);
    if (keep[0] < 0 || keep[1] < 0) {
      throw new HubException(
          "cannot cut "
              + encoding.length()
              + " tokens ("
              + lengths[0]
              + " and "
              + lengths[1]
              + " of the texts, "
              + added
              + " added) to "
              + options.maxLength()
              + " with "
              + options.strategy()
              + "; allow more tokens or choose another strategy");
    }
    return encoding.select(kept(encoding, lengths, keep, added, options.side()));
  }

  private static int[] share(int first, int second, int room, EncodeOptions options) {
    return switch (options.strategy()) {
      case ONLY_FIRST -> new int[] {room - second, second};
      case ONLY_SECOND -> new int[] {first, room - first};
      case LONGEST_FIRST -> {
        int shorter = Math.min(first, second);
        if (shorter <= room / 2) {
          yield first <= second
              ? new int[] {first, room - first}
              : new int[] {room - second, second};
        }
        // Both are cut to half; the odd token goes to the text that was longer, else to the second.
        int half = room / 2;
        yield first > second ? new int[] {room - half, half} : new int[] {half, room - half};
      }
    };
  }

  private static int[] kept(
      Encoding encoding, int[] lengths, int[] keep, int added, TruncationSide side) {
    int[] kept = new int[added + keep[0] + keep[1]];
    int[] seen = new int[2];
    int n = 0;
    for (int i = 0; i < encoding.length(); i++) {
      int sequence = encoding.sequence(i);
      if (sequence >= 0) {
        int position = seen[sequence]++;
        int dropped = lengths[sequence] - keep[sequence];
        boolean stays =
            side == TruncationSide.RIGHT ? position < keep[sequence] : position >= dropped;
        if (!stays) {
          continue;
        }
      }
      kept[n++] = i;
    }
    return kept;
  }
}
