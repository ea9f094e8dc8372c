package io.trimtab.model;

import io.trimtab.tensor.Creation;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Tensor;
import java.util.Arrays;
import java.util.List;

/** Token sequences packed one after the other, without padding. */
public final class Batch {
  /**
   * One sequence.
   *
   * @param ids token numbers, special tokens included
   * @param types segment numbers, one a token; empty for all zero
   */
  @SuppressWarnings("ArrayRecordComponent") // read-only by contract, and never compared
  public record Row(int[] ids, int[] types) {
    /** A sequence of segment 0. */
    public static Row of(int... ids) {
      return new Row(ids, new int[0]);
    }

    /** Checks that there is a token, and a type for each of them if for any. */
    public Row {
      if (ids.length == 0 || (types.length != 0 && types.length != ids.length)) {
        throw new ModelException(
            "found a row of "
                + ids.length
                + " tokens and "
                + types.length
                + " token types, expected at least one token and none or as many types");
      }
    }
  }

  private final List<Row> rows;
  private final Layout layout;

  private Batch(List<Row> rows) {
    this.rows = rows;
    this.layout = Layout.ofLengths(rows.stream().mapToInt(row -> row.ids().length).toArray());
  }

  /** The given rows in this order. Rows of equal length side by side are computed fastest. */
  public static Batch of(List<Row> rows) {
    return new Batch(List.copyOf(rows));
  }

  /** The rows of a padded matrix: tokens whose mask is 0 are left out. */
  public static Batch ofPadded(long[][] ids, long[][] mask, long[][] types) {
    Row[] rows = new Row[ids.length];
    for (int r = 0; r < ids.length; r++) {
      int n = (int) Arrays.stream(mask[r]).sum();
      int[] rowIds = new int[n];
      int[] rowTypes = new int[types.length == 0 ? 0 : n];
      int next = 0;
      for (int i = 0; i < ids[r].length; i++) {
        if (mask[r][i] != 0) {
          rowIds[next] = (int) ids[r][i];
          if (rowTypes.length != 0) {
            rowTypes[next] = (int) types[r][i];
          }
          next++;
        }
      }
      rows[r] = new Row(rowIds, rowTypes);
    }
    return of(List.of(rows));
  }

  /** Its rows. */
  public List<Row> rows() {
    return rows;
  }

  /** How the rows lie. */
  public Layout layout() {
    return layout;
  }

  /** All token numbers, I64 [tokens]. */
  public Tensor ids(Device device) {
    long[] ids = pack((row, i) -> row.ids()[i]);
    return Creation.longs(ids, ids.length).to(device);
  }

  /** All segment numbers, one a token. */
  long[] types() {
    return pack((row, i) -> row.types().length == 0 ? 0 : row.types()[i]);
  }

  private interface Field {
    int at(Row row, int i);
  }

  private long[] pack(Field field) {
    long[] packed = new long[layout.tokens()];
    int next = 0;
    for (Row row : rows) {
      for (int i = 0; i < row.ids().length; i++) {
        packed[next++] = field.at(row, i);
      }
    }
    return packed;
  }
}
