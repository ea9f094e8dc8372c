package io.trimtab.model;

import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
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
  private final Use use;
  private final @Nullable Chosen chosen;

  /**
   * What is the same for all rows.
   *
   * @param rng where dropout draws from, in training
   * @param block the number of the block at hand
   * @param cache the keys and values of earlier tokens, where they are kept
   * @param common what blocks share, while a stack is at work
   * @param encoded what a decoder reads, where an encoder goes before it
   */
  private record Use(
      @Nullable Rng rng,
      int block,
      @Nullable KeyValueCache cache,
      @Nullable Common common,
      @Nullable Encoded encoded) {
    static final Use PLAIN = new Use(null, 0, null, null, null);
  }

  /** The tokens of rows of which not all are at hand: their numbers, and the rows' lengths. */
  @SuppressWarnings("ArrayRecordComponent") // never written, and never compared
  private record Chosen(List<int[]> positions, int[] whole) {
    Chosen part(int first, int end) {
      return new Chosen(positions.subList(first, end), Arrays.copyOfRange(whole, first, end));
    }

    /** The numbers of tokens that come after those of {@code past}. */
    static Chosen after(int[] past, Layout layout) {
      List<int[]> numbers = new ArrayList<>();
      int[] whole = new int[past.length];
      for (int row = 0; row < past.length; row++) {
        whole[row] = past[row] + layout.length(row);
        numbers.add(IntStream.range(past[row], whole[row]).toArray());
      }
      return new Chosen(numbers, whole);
    }
  }

  private Pass(Layout layout, List<Segment> segments, Use use, @Nullable Chosen chosen) {
    this.layout = layout;
    this.chosen = chosen;
    this.segments = segments;
    this.use = use;
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
    return new Pass(layout, List.of(new Segment(layout.rows(), patches)), Use.PLAIN, null);
  }

  /** Rows under different patches: base products run once, each patch over its own rows. */
  public static Pass segmented(Layout layout, List<Segment> segments) {
    return new Pass(layout, List.copyOf(segments), Use.PLAIN, null);
  }

  /** The same in training: dropout draws from {@code rng}. */
  public Pass training(Rng rng) {
    return new Pass(
        layout,
        segments,
        new Use(rng, use.block(), use.cache(), use.common(), use.encoded()),
        chosen);
  }

  /**
   * The same where the tokens of each row come after those that {@code cache} holds of it, whose
   * keys and values are not computed again; it then holds these tokens too. Made anew for each
   * step.
   *
   * @throws ModelException where the cache holds another number of rows
   */
  public Pass caching(KeyValueCache cache) {
    if (cache.rows() != 0 && cache.rows() != layout.rows()) {
      throw new ModelException(
          "found a cache of "
              + cache.rows()
              + " rows for a batch of "
              + layout.rows()
              + ", expected as many; drop finished rows with KeyValueCache.select");
    }
    int[] past = new int[layout.rows()];
    Arrays.setAll(past, row -> cache.rows() == 0 ? 0 : cache.length(row));
    Use keeping = new Use(use.rng(), use.block(), cache, use.common(), use.encoded());
    return new Pass(layout, segments, keeping, Chosen.after(past, layout));
  }

  /** The keys and values of earlier tokens; empty where none are kept. */
  public Optional<KeyValueCache> cache() {
    return Optional.ofNullable(use.cache());
  }

  /**
   * The same in a decoder that reads what an encoder gave: each row the encoded row of the same
   * number. With a cache only the first pass need say so.
   *
   * @throws ModelException where it has another number of rows
   */
  public Pass reading(Encoded encoded) {
    if (encoded.layout().rows() != layout.rows()) {
      throw new ModelException(
          "found "
              + encoded.layout().rows()
              + " encoded rows for a batch of "
              + layout.rows()
              + ", expected as many; a decoder's rows go with its encoder's one by one");
    }
    Use decoding = new Use(use.rng(), use.block(), use.cache(), use.common(), encoded);
    return new Pass(layout, segments, decoding, chosen);
  }

  /** What a decoder reads; empty where no encoder went before it. */
  public Optional<Encoded> encoded() {
    return Optional.ofNullable(use.encoded());
  }

  /** The same rows with an encoder's tokens at hand. */
  Pass overEncoded(Layout tokens) {
    Use there = new Use(use.rng(), use.block(), null, use.common(), null);
    return new Pass(tokens, segments, there, null);
  }

  /** How many tokens of a row came before this pass. */
  int past(int row) {
    return use.cache() == null ? 0 : rowLength(row) - layout.length(row);
  }

  /** What the blocks of one use of a stack share. */
  Pass sharing(Common common) {
    Use shared = new Use(use.rng(), use.block(), use.cache(), common, use.encoded());
    return new Pass(layout, segments, shared, chosen);
  }

  /** What blocks share under a key: made by the first that asks. */
  <T> T shared(Object key, Function<Common, T> make) {
    Common common = use.common();
    if (common == null) {
      throw new IllegalStateException("blocks run in a stack, which has what they share");
    }
    return common.get(key, make);
  }

  /** The same rows with other tokens at hand, such as their words; of a cache, these come next. */
  public Pass at(Layout tokens) {
    if (use.cache() == null) {
      return new Pass(tokens, segments, use, null);
    }
    int[] past = IntStream.range(0, layout.rows()).map(this::past).toArray();
    return new Pass(tokens, segments, use, Chosen.after(past, tokens));
  }

  /** The same rows with only some of the tokens at hand. */
  public Pass at(Positions tokens) {
    List<int[]> numbers = new ArrayList<>();
    int[] whole = new int[layout.rows()];
    for (int row = 0; row < layout.rows(); row++) {
      int[] known = chosen == null ? null : chosen.positions().get(row);
      int[] own = tokens.ofRow(row);
      numbers.add(known == null ? own : IntStream.of(own).map(i -> known[i]).toArray());
      whole[row] = rowLength(row);
    }
    return new Pass(tokens.layout(), segments, use, new Chosen(numbers, whole));
  }

  /** The numbers within a row, from 0, of its tokens at hand. */
  public int[] positions(int row) {
    return chosen == null
        ? IntStream.range(0, layout.length(row)).toArray()
        : chosen.positions().get(row).clone();
  }

  /** The number of tokens of a row, at hand or not. */
  public int rowLength(int row) {
    return chosen == null ? layout.length(row) : chosen.whole()[row];
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
    return new Pass(tokens, List.of(segment), use, null);
  }

  /** The same in the block of that number; blocks that share their weights differ by it. */
  public Pass inBlock(int number) {
    Use there = new Use(use.rng(), number, use.cache(), use.common(), use.encoded());
    return new Pass(layout, segments, there, chosen);
  }

  /** The number of the block at hand, from 0. */
  public int block() {
    return use.block();
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
    return Optional.ofNullable(use.rng());
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

  /** Whether any row has a patch in these layers whose work on a token changes as its row grows. */
  boolean changesAsRowsGrow(Layer root) {
    return segments.stream().anyMatch(segment -> segment.patches().changeAsRowsGrow(root));
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
        Pass inside = new Pass(part, List.of(segment), use, own);
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
