package io.trimtab.model;

import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** The keys and values that patches put before those of the rows, stretch of rows by stretch. */
public final class Prefixes {
  /** None for any row. */
  public static final Prefixes NONE = new Prefixes(List.of());

  private record Stretch(
      int firstRow, int rows, Patch.KeysAndValues.@Nullable Prefix prefix, int shift) {}

  private final List<Stretch> stretches;

  private Prefixes(List<Stretch> stretches) {
    this.stretches = stretches;
  }

  static Prefixes of(Site<Patch.KeysAndValues> site, Tensor hidden, Pass pass) {
    if (!pass.touches(site)) {
      return NONE;
    }
    List<Stretch> stretches = new ArrayList<>();
    int row = 0;
    for (Pass.Segment segment : pass.segments()) {
      Patch.KeysAndValues patch = segment.patches().at(site);
      Layout part = pass.layout().part(row, row + segment.rows());
      Pass inside = pass.of(segment, part);
      Patch.KeysAndValues.Prefix prefix =
          patch == null || part.tokens() == 0 || !anyStarts(pass, row, row + segment.rows())
              ? null
              : patch.apply(inside.cut(hidden, pass.layout().start(row)), inside);
      int shift = patch == null ? 0 : patch.shift();
      stretches.add(new Stretch(row, segment.rows(), prefix, shift));
      row += segment.rows();
    }
    return new Prefixes(stretches);
  }

  /** Whether a row begins in this pass; others have their prefix in the cache. */
  private static boolean anyStarts(Pass pass, int first, int end) {
    return IntStream.range(first, end).anyMatch(row -> pass.past(row) == 0);
  }

  /** Whether there are none for any row, nor are tokens moved. */
  boolean areNone() {
    return stretches.stream().allMatch(each -> each.prefix() == null && each.shift() == 0);
  }

  /** By how many positions the tokens of a row stand later. */
  int shift(int row) {
    Stretch stretch = stretch(row);
    return stretch == null ? 0 : stretch.shift();
  }

  /** The same for each of all rows. */
  public int[] shifts(int rows) {
    int[] shifts = new int[rows];
    for (Stretch stretch : stretches) {
      Arrays.fill(shifts, stretch.firstRow(), stretch.firstRow() + stretch.rows(), stretch.shift());
    }
    return shifts;
  }

  /** The end of the rows after {@code row} that have their prefix from the same patch. */
  int endOfStretch(int row, int rows) {
    Stretch stretch = stretch(row);
    return stretch == null ? rows : stretch.firstRow() + stretch.rows();
  }

  private @Nullable Stretch stretch(int row) {
    for (Stretch stretch : stretches) {
      if (row < stretch.firstRow() + stretch.rows()) {
        return stretch;
      }
    }
    return null;
  }

  /**
   * The prefix of rows of one stretch, or null.
   *
   * @return keys and values [rows, n, key heads · size]
   */
  Patch.KeysAndValues.@Nullable Prefix of(int firstRow, int rows) {
    Stretch stretch = stretch(firstRow);
    if (stretch == null || stretch.prefix() == null) {
      return null;
    }
    Patch.KeysAndValues.Prefix prefix = stretch.prefix();
    return new Patch.KeysAndValues.Prefix(
        rows(prefix.keys(), firstRow - stretch.firstRow(), rows),
        rows(prefix.values(), firstRow - stretch.firstRow(), rows));
  }

  private static Tensor rows(Tensor prefix, int first, int rows) {
    return prefix.size(0) == 1
        ? Indexing.expand(prefix, rows, prefix.size(1), prefix.size(2))
        : Indexing.slice(prefix, 0, first, rows);
  }
}
