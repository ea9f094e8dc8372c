package io.trimtab.prompt;

import io.trimtab.model.Batch;

/**
 * A text in its template, as tokens.
 *
 * @param row the tokens, special ones included
 * @param mask which of them is the blank, from 0
 * @param lost how many characters of the text there was no room for
 */
public record Prompt(Batch.Row row, int mask, int lost) {
  /** The number of tokens. */
  public int length() {
    return row.ids().length;
  }
}
