package io.trimtab.model;

import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
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

  private Pass(Layout layout, List<Segment> segments, @Nullable Rng rng, int block) {
    this.layout = layout;
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
    return new Pass(layout, List.of(new Segment(layout.rows(), patches)), null, 0);
  }

  /** Rows under different patches: base products run once, each patch over its own rows. */
  public static Pass segmented(Layout layout, List<Segment> segments) {
    return new Pass(layout, List.copyOf(segments), null, 0);
  }

  /** The same in training: dropout draws from {@code rng}. */
  public Pass training(Rng rng) {
    return new Pass(layout, segments, rng, block);
  }

  /** The same rows with other tokens at hand, such as the chosen positions of each. */
  public Pass at(Layout tokens) {
    return new Pass(tokens, segments, rng, block);
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
    return new Pass(tokens, List.of(segment), rng, block);
  }

  /** The same in the block of that number; blocks that share their weights differ by it. */
  public Pass inBlock(int number) {
    return new Pass(layout, segments, rng, number);
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
        Pass inside = new Pass(part, List.of(segment), rng, block);
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
