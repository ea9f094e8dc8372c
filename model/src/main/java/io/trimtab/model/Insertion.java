package io.trimtab.model;

import io.trimtab.tensor.Creation;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Vectors that patches at one site put into the rows of a batch, such as a soft prompt: how the
 * tokens lie afterwards, and where the old ones have gone.
 */
final class Insertion {
  private final Site<Patch.Inserted> site;
  private final Pass before;
  private final @Nullable Pass after;
  private final int[] counts;
  private final int[] places;

  private Insertion(Site<Patch.Inserted> site, Pass before) {
    this.site = site;
    this.before = before;
    Layout layout = before.layout();
    counts = new int[layout.rows()];
    places = new int[layout.rows()];
    int row = 0;
    for (Pass.Segment segment : before.segments()) {
      Patch.Inserted patch = segment.patches().at(site);
      for (int end = row + segment.rows(); row < end; row++) {
        if (patch != null && before.past(row) == 0) { // else it is in the cache
          counts[row] = patch.count();
          places[row] = Math.min(patch.before(), layout.length(row));
        }
      }
    }
    after =
        IntStream.of(counts).anyMatch(count -> count > 0)
            ? before.at(
                Layout.ofLengths(
                    IntStream.range(0, layout.rows())
                        .map(r -> layout.length(r) + counts[r])
                        .toArray()))
            : null;
  }

  /** What the patches of {@code pass} at {@code site} put in. */
  static Insertion of(Site<Patch.Inserted> site, Pass pass) {
    return new Insertion(site, pass);
  }

  /** The pass over the longer rows. */
  Pass pass() {
    return after == null ? before : after;
  }

  /** Whether nothing is put in. */
  boolean isNothing() {
    return after == null;
  }

  /** The packed vectors [tokens, size] with those put in between, [more tokens, size]. */
  Tensor into(Tensor tokens) {
    if (after == null) {
      return tokens;
    }
    List<Tensor> sources = new ArrayList<>(List.of(tokens));
    Layout layout = before.layout();
    long[] from = new long[after.layout().tokens()];
    long next = tokens.size(0);
    int row = 0;
    int at = 0;
    for (Pass.Segment segment : before.segments()) {
      Patch.Inserted patch = segment.patches().at(site);
      int given = IntStream.of(counts).skip(row).limit(segment.rows()).max().orElse(0);
      if (patch != null && given > 0) {
        Layout part = layout.part(row, row + segment.rows());
        sources.add(patch.vectors(before.of(segment, part)).to(tokens.dtype()));
      }
      for (int end = row + segment.rows(); row < end; row++) {
        for (int i = 0; i <= layout.length(row); i++) {
          if (i == places[row]) {
            for (int j = 0; j < counts[row]; j++) {
              from[at++] = next + j;
            }
          }
          if (i < layout.length(row)) {
            from[at++] = (long) layout.start(row) + i;
          }
        }
      }
      next += given;
    }
    Tensor order = Creation.longs(from, from.length).to(tokens.device());
    return Indexing.select(Indexing.concat(sources, 0), 0, order);
  }

  /** Numbers of tokens, one each, with 0 for those put in. */
  long[] into(long[] perToken) {
    if (after == null) {
      return perToken;
    }
    long[] longer = new long[after.layout().tokens()];
    for (int row = 0; row < counts.length; row++) {
      for (int i = 0; i < before.layout().length(row); i++) {
        longer[after.layout().start(row) + moved(row, i)] =
            perToken[before.layout().start(row) + i];
      }
    }
    return longer;
  }

  /** Where the given tokens of the shorter rows are now. */
  Positions moved(Positions positions) {
    if (after == null) {
      return positions;
    }
    int[][] perRow = new int[counts.length][];
    for (int row = 0; row < perRow.length; row++) {
      int of = row;
      perRow[row] =
          IntStream.of(positions.ofRow(row)).map(position -> moved(of, position)).toArray();
    }
    return Positions.of(perRow, after.layout());
  }

  private int moved(int row, int position) {
    return position < places[row] ? position : position + counts[row];
  }
}
