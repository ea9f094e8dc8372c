package io.trimtab.model;

import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Everything that differs between one use of a frozen model and the next: which patches act on
 * which rows, whether this is training, where random numbers come from, and how the tokens at hand
 * lie. Immutable; two threads with two passes over one model never meet.
 */
public final class Pass {
  /**
   * Rows side by side that are under the same patches.
   *
   * @param rows how many
   * @param patches what acts on them
   */
  public record Segment(int rows, Patches patches) {}

  private final Layout layout;
  private final List<Segment> segments;
  private final @Nullable Rng rng;
  private final int block;
  private final @Nullable Chosen chosen;

  /** Some tokens of rows of which not all are at hand: their numbers, and the rows' lengths. */
  private record Chosen(List<int[]> positions, Layout whole) {
    Chosen part(int first, int end) {
      return new Chosen(positions.subList(first, end), whole.part(first, end));
    }
  }

  private Pass(
      Layout layout,
      List<Segment> segments,
      @Nullable Rng rng,
      int block,
      @Nullable Chosen chosen) {
    this.layout = layout;
    this.chosen = chosen;
    this.segments = segments;
    this.rng = rng;
    this.block = block;
    int covered = segments.stream().mapToInt(Segment::rows).sum();
    if (covered != layout.rows()) {
      throw new ModelException(
          "found patches for "
              + covered
              + " rows, expected segments that cover the batch's "
              + layout.rows()
              + " rows");
    }
  }

  /** The plain model. */
  public static Pass plain(Layout layout) {
    return with(layout, Patches.NONE);
  }

  /** All rows under the same patches. */
  public static Pass with(Layout layout, Patches patches) {
    return new Pass(layout, List.of(new Segment(layout.rows(), patches)), null, 0, null);
  }

  /** Rows under different patches: base products run once, each patch over its own rows. */
  public static Pass segmented(Layout layout, List<Segment> segments) {
    return new Pass(layout, List.copyOf(segments), null, 0, null);
  }

  /** The same in training: dropout draws from {@code rng}. */
  public Pass training(Rng rng) {
    return new Pass(layout, segments, rng, block, chosen);
  }

  /** The same rows with other tokens at hand, such as their words. */
  public Pass at(Layout tokens) {
    return new Pass(tokens, segments, rng, block, null);
  }

  /** The same rows with only some of their tokens at hand. */
  public Pass at(Positions tokens) {
    List<int[]> numbers = new ArrayList<>();
    for (int row = 0; row < layout.rows(); row++) {
      numbers.add(tokens.ofRow(row));
    }
    return new Pass(tokens.layout(), segments, rng, block, new Chosen(numbers, layout));
  }

  /** The numbers within a row, from 0, of its tokens at hand. */
  public int[] positions(int row) {
    return chosen == null
        ? IntStream.range(0, layout.length(row)).toArray()
        : chosen.positions().get(row).clone();
  }

  /** The number of tokens of a row, at hand or not. */
  public int rowLength(int row) {
    return chosen == null ? layout.length(row) : chosen.whole().length(row);
  }

  /** What a layer gives, as the patches at {@code site} change it. */
  Tensor output(Site<Patch.Output> site, Tensor input, Tensor output) {
    if (!touches(site)) {
      return output;
    }
    return perSegment(
        (patches, start, inside) -> {
          Patch.Output patch = patches.at(site);
          Tensor own = inside.cut(output, start);
          return patch == null ? own : patch.apply(inside.cut(input, start), own, inside);
        });
  }

  /** One of this pass's segments alone, whose tokens lie as {@code tokens} says. */
  Pass of(Segment segment, Layout tokens) {
    return new Pass(tokens, List.of(segment), rng, block, null);
  }

  /** The same in the block of that number; blocks that share their weights differ by it. */
  public Pass inBlock(int number) {
    return new Pass(layout, segments, rng, number, chosen);
  }

  /** The number of the block at hand, from 0. */
  public int block() {
    return block;
  }

  /** Which rows are under which patches, in the order of the rows. */
  public List<Segment> segments() {
    return segments;
  }

  /** How the tokens at hand lie. */
  public Layout layout() {
    return layout;
  }

  /** Where dropout draws from; empty outside training. */
  public Optional<Rng> training() {
    return Optional.ofNullable(rng);
  }

  /** Whether any row has a patch at this site. */
  public boolean touches(Site<?> site) {
    for (Segment segment : segments) {
      if (segment.patches().at(site) != null) {
        return true;
      }
    }
    return false;
  }

  /** Whether any row has a patch that reads whole rows. */
  boolean readsWholeRows() {
    return segments.stream().anyMatch(segment -> segment.patches().readWholeRows());
  }

  /** What is done to one segment's tokens. */
  @FunctionalInterface
  public interface PerSegment {
    /** The result for the tokens [start, start + pass.layout().tokens()). */
    Tensor apply(Patches patches, int start, Pass pass);
  }

  /** Runs {@code work} for each segment that has tokens and joins the results in order. */
  public Tensor perSegment(PerSegment work) {
    if (segments.size() == 1) {
      return work.apply(segments.get(0).patches(), 0, this);
    }
    List<Tensor> parts = new ArrayList<>();
    int row = 0;
    for (Segment segment : segments) {
      Layout part = layout.part(row, row + segment.rows());
      if (part.tokens() > 0) {
        Chosen own = chosen == null ? null : chosen.part(row, row + segment.rows());
        Pass inside = new Pass(part, List.of(segment), rng, block, own);
        parts.add(work.apply(segment.patches(), layout.start(row), inside));
      }
      row += segment.rows();
    }
    return Indexing.concat(parts, 0);
  }

  /** The tokens of a segment out of a packed tensor; the tensor itself where they are all. */
  public Tensor cut(Tensor packed, int start) {
    long tokens = layout.tokens();
    return tokens == packed.size(0) ? packed : Indexing.slice(packed, 0, start, tokens);
  }
}
