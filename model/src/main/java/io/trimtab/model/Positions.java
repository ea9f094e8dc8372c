package io.trimtab.model;

import io.trimtab.tensor.Creation;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Tensor;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * The tokens of a batch whose results are read; the last layer and the head compute nothing else.
 * Within a row they are counted from the row's first token, in rising order.
 */
public final class Positions {
  private final int[][] perRow;
  private final long[] tokens;
  private final Layout layout;

  private Positions(int[][] perRow, Layout of) {
    if (perRow.length != of.rows()) {
      throw new ModelException(
          "found positions for "
              + perRow.length
              + " rows, expected one list for each of the "
              + of.rows()
              + " rows of the batch");
    }
    this.perRow = perRow;
    int[] lengths = new int[perRow.length];
    int count = Arrays.stream(perRow).mapToInt(row -> row.length).sum();
    tokens = new long[count];
    int next = 0;
    for (int row = 0; row < perRow.length; row++) {
      lengths[row] = perRow[row].length;
      int previous = -1;
      for (int position : perRow[row]) {
        if (position <= previous || position >= of.length(row)) {
          throw new ModelException(
              "found position "
                  + position
                  + " of row "
                  + row
                  + ", expected rising positions below the row's length "
                  + of.length(row));
        }
        previous = position;
        tokens[next++] = (long) of.start(row) + position;
      }
    }
    layout = Layout.ofLengths(lengths);
  }

  /** The given positions of each row of {@code layout}. */
  public static Positions of(int[][] perRow, Layout layout) {
    int[][] copy = Arrays.stream(perRow).map(int[]::clone).toArray(int[][]::new);
    return new Positions(copy, layout);
  }

  /** The first token of every row, where classifiers read. */
  public static Positions first(Layout layout) {
    int[][] perRow = new int[layout.rows()][];
    Arrays.fill(perRow, new int[] {0});
    return new Positions(perRow, layout);
  }

  /** The last token of every row, after which the next word comes. */
  public static Positions last(Layout layout) {
    int[][] perRow = new int[layout.rows()][];
    Arrays.setAll(perRow, row -> new int[] {layout.length(row) - 1});
    return new Positions(perRow, layout);
  }

  /** Every token of every row. */
  public static Positions all(Layout layout) {
    int[][] perRow = new int[layout.rows()][];
    Arrays.setAll(perRow, row -> IntStream.range(0, layout.length(row)).toArray());
    return new Positions(perRow, layout);
  }

  /** How the chosen tokens lie, row after row. */
  public Layout layout() {
    return layout;
  }

  /** The chosen positions of one row, counted from its first token. */
  public int[] ofRow(int row) {
    return perRow[row].clone();
  }

  /** Their indices in the packed batch, I64 [chosen]. */
  public Tensor indices(Device device) {
    return Creation.longs(tokens, tokens.length).to(device);
  }
}
