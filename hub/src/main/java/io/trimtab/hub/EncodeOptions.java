package io.trimtab.hub;

/**
 * How a text is encoded.
 *
 * @param addSpecialTokens whether the model's own frame, such as {@code [CLS] … [SEP]}, is put
 *     around
 * @param maxLength the largest number of tokens, the frame included; longer texts are truncated
 * @param side the side at which tokens are cut off
 * @param strategy which text of a pair loses tokens
 * @param specialAsText whether a special token that is spelled out in the text, such as {@code
 *     <|im_end|>}, is plain text like any other; else it becomes that token
 */
public record EncodeOptions(
    boolean addSpecialTokens,
    int maxLength,
    TruncationSide side,
    TruncationStrategy strategy,
    boolean specialAsText) {

  /** The side of a text at which tokens are cut off. */
  public enum TruncationSide {
    /** The beginning of the text is lost. */
    LEFT,
    /** The end of the text is lost. */
    RIGHT
  }

  /** Which text of a pair loses tokens. */
  public enum TruncationStrategy {
    /** The longer one until both are equally long, then both in turn. */
    LONGEST_FIRST,
    /** The first text only; an error where that is not enough. */
    ONLY_FIRST,
    /** The second text only; an error where there is none, or where that is not enough. */
    ONLY_SECOND
  }

  /** With special tokens, without truncation. */
  public static final EncodeOptions DEFAULT =
      new EncodeOptions(
          true, Integer.MAX_VALUE, TruncationSide.RIGHT, TruncationStrategy.LONGEST_FIRST, false);

  /** Checks the length. */
  public EncodeOptions {
    if (maxLength < 1) {
      throw new IllegalArgumentException("maxLength must be at least 1, found " + maxLength);
    }
  }

  /** The same without special tokens. */
  public EncodeOptions withoutSpecialTokens() {
    return new EncodeOptions(false, maxLength, side, strategy, specialAsText);
  }

  /** The same with at most {@code length} tokens. */
  public EncodeOptions maxLength(int length) {
    return new EncodeOptions(addSpecialTokens, length, side, strategy, specialAsText);
  }

  /** The same with tokens cut off at {@code newSide}. */
  public EncodeOptions truncate(TruncationSide newSide) {
    return new EncodeOptions(addSpecialTokens, maxLength, newSide, strategy, specialAsText);
  }

  /** The same with another choice of the text that loses tokens. */
  public EncodeOptions truncate(TruncationStrategy newStrategy) {
    return new EncodeOptions(addSpecialTokens, maxLength, side, newStrategy, specialAsText);
  }

  /**
   * The same where special tokens that are spelled out in the text are plain text: for what a user
   * wrote, who must not be able to end his own turn.
   */
  public EncodeOptions specialTokensAsText() {
    return new EncodeOptions(addSpecialTokens, maxLength, side, strategy, true);
  }
}
