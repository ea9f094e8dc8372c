package io.trimtab.model;

import java.util.Arrays;

/**
 * How the rows (sequences) of a batch lie one after the other in packed tensors, without padding:
 * row r is tokens start(r) to start(r + 1).
 */
public final class Layout {
  private final int[] starts;

  private Layout(int[] starts) {
    this.starts = starts;
  }

  /** Rows of the given lengths, in this order. */
  public static Layout ofLengths(int... lengths) {
    int[] starts = new int[lengths.length + 1];
    for (int row = 0; row < lengths.length; row++) {
      starts[row + 1] = Math.addExact(starts[row], lengths[row]);
    }
    return new Layout(starts);
  }

  /** The number of rows. */
  public int rows() {
    return starts.length - 1;
  }

  /** The number of tokens of all rows. */
  public int tokens() {
    return starts[rows()];
  }

  /** The first token of a row; of row {@link #rows()}, the number of tokens. */
  public int start(int row) {
    return starts[row];
  }

  /** The number of tokens of a row. */
  public int length(int row) {
    return starts[row + 1] - starts[row];
  }

  /** Tokens of rows {@code first} to before {@code end} alone, counted from 0. */
  public Layout part(int first, int end) {
    int[] part = Arrays.copyOfRange(starts, first, end + 1);
    for (int i = part.length - 1; i >= 0; i--) {
      part[i] -= part[0];
    }
    return new Layout(part);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Layout layout && Arrays.equals(starts, layout.starts);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(starts);
  }

  @Override
  public String toString() {
    return "Layout" + Arrays.toString(starts);
  }
}
