package io.trimtab.hub;

import java.util.Arrays;
import java.util.List;

/**
 * A text, or a pair of texts, as tokens. All arrays have one entry per token; getters return
 * copies.
 */
public final class Encoding {
  private final int[] ids;
  private final int[] typeIds;
  private final boolean[] special;
  private final int[] sequences;
  private final int[] starts;
  private final int[] ends;
  private final String[] tokens;

  /** Takes the arrays over without copying. */
  Encoding(
      int[] ids,
      int[] typeIds,
      boolean[] special,
      int[] sequences,
      int[] starts,
      int[] ends,
      String[] tokens) {
    this.ids = ids;
    this.typeIds = typeIds;
    this.special = special;
    this.sequences = sequences;
    this.starts = starts;
    this.ends = ends;
    this.tokens = tokens;
  }

  /** The number of tokens. */
  public int length() {
    return ids.length;
  }

  /** Vocabulary numbers, {@code [length]}. */
  public int[] ids() {
    return ids.clone();
  }

  /** The vocabulary number of token {@code index}. */
  public int id(int index) {
    return ids[index];
  }

  /** Token type numbers, {@code [length]}: in a pair, 0 for the first text and 1 for the second. */
  public int[] typeIds() {
    return typeIds.clone();
  }

  /** The type number of token {@code index}. */
  public int typeId(int index) {
    return typeIds[index];
  }

  /**
   * True where the tokenizer added the token, {@code [length]}. A special token that is spelled out
   * in the text, such as {@code [MASK]}, belongs to the text.
   */
  public boolean[] specialTokensMask() {
    return special.clone();
  }

  /** Whether the tokenizer added token {@code index}. */
  public boolean isSpecial(int index) {
    return special[index];
  }

  /** 0 for a token of the first text, 1 for one of the second, -1 for one that was added. */
  public int sequence(int index) {
    return sequences[index];
  }

  /**
   * Where token {@code index} begins in its own text: an index into the Java string; 0 for an added
   * token. {@code text.substring(start, end)} is what the token was made from.
   */
  public int start(int index) {
    return starts[index];
  }

  /** Where token {@code index} ends in its own text, exclusive; 0 for an added token. */
  public int end(int index) {
    return ends[index];
  }

  /** The tokens as the vocabulary spells them, {@code [length]}. */
  public List<String> tokens() {
    return List.of(tokens);
  }

  /**
   * The first token of text {@code sequence} (0 or 1) that covers the character at {@code position}
   * of the string, or -1 where none does, as in white space or in what was truncated.
   */
  public int tokenAt(int sequence, int position) {
    for (int i = 0; i < ids.length; i++) {
      if (sequences[i] == sequence && starts[i] <= position && position < ends[i]) {
        return i;
      }
    }
    return -1;
  }

  /** The tokens at {@code kept}, in that order. */
  Encoding select(int[] kept) {
    int n = kept.length;
    int[] newIds = new int[n];
    int[] newTypes = new int[n];
    boolean[] newSpecial = new boolean[n];
    int[] newSequences = new int[n];
    int[] newStarts = new int[n];
    int[] newEnds = new int[n];
    String[] newTokens = new String[n];
    for (int i = 0; i < n; i++) {
      int from = kept[i];
      newIds[i] = ids[from];
      newTypes[i] = typeIds[from];
      newSpecial[i] = special[from];
      newSequences[i] = sequences[from];
      newStarts[i] = starts[from];
      newEnds[i] = ends[from];
      newTokens[i] = tokens[from];
    }
    return new Encoding(newIds, newTypes, newSpecial, newSequences, newStarts, newEnds, newTokens);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Encoding that
        && Arrays.equals(ids, that.ids)
        && Arrays.equals(typeIds, that.typeIds)
        && Arrays.equals(special, that.special)
        && Arrays.equals(sequences, that.sequences)
        && Arrays.equals(starts, that.starts)
        && Arrays.equals(ends, that.ends)
        && Arrays.equals(tokens, that.tokens);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(ids);
  }

  @Override
  public String toString() {
    return "Encoding" + Arrays.toString(tokens);
  }
}
