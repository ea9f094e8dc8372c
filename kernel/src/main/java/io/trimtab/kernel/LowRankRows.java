package io.trimtab.kernel;

import io.trimtab.kernel.FusedRows.Block;
import io.trimtab.tensor.TrimtabException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Low-rank products of many segments of rows, each with matrices of its own, added in place: what a
 * batch under many LoRAs costs beyond the base's own products (SGMV of Chen et al., "Punica",
 * 2023). Rows of 16 bits are widened, added to in F32 and rounded once.
 *
 * <p>A thread copies a segment's matrices, B with its columns as rows, to where the nearest caches
 * hold them, and goes over the rows four at a time. A row's result depends on its own input and
 * matrices alone: not on the number of threads, nor on what rows are beside it. Holds no state; any
 * number of threads may share one.
 */
public final class LowRankRows {
  /** Rows of a piece of work: enough that copying the matrices is little beside them. */
  private static final int TOGETHER = 64;

  /** Fewer multiplications than this are done before other threads have woken. */
  private static final long WORTH_THREADS = 1_000_000;

  private static final int STRETCH = 128;

  private final Crew crew;
  private final ArrayLanes arrays;
  private final LowRankLanes loops;

  /** Products by {@code crew}, which stays its owner's to close. */
  public LowRankRows(Crew crew, Backend backend) {
    this.crew = crew;
    arrays = backend.arrays();
    loops = backend.lowRank();
  }

  /**
   * The matrices of some rows, which become y + scale · B A x.
   *
   * @param start the first row
   * @param rows how many; none is fine
   * @param rank from 1 on
   * @param down A, F32 [rank, in], row after row
   * @param up B, F32 [out, rank], row after row
   * @param scale what the product is multiplied by
   */
  public record Segment(
      long start, int rows, int rank, MemorySegment down, MemorySegment up, double scale) {
    private void check(Block x, Block y) {
      if (start < 0
          || rows < 0
          || rank < 1
          || start + rows > x.rows()
          || down.byteSize() != (long) rank * x.columns() * Float.BYTES
          || up.byteSize() != (long) rank * y.columns() * Float.BYTES) {
        throw new TrimtabException(
            "found rows %d to %d under matrices of %d and %d bytes, expected rows below %d and %d · %d and %d · %d numbers of F32"
                .formatted(
                    start,
                    start + rows,
                    down.byteSize(),
                    up.byteSize(),
                    x.rows(),
                    rank,
                    x.columns(),
                    y.columns(),
                    rank));
      }
    }
  }

  /** Some rows of a segment. */
  private record Piece(Segment segment, long start, int rows) {}

  /**
   * Adds every segment's product to its rows.
   *
   * @param x [rows, in]
   * @param y [rows, out], of x's type, which is written
   * @param segments rows that do not overlap; other rows stay as they are
   */
  public void add(Block x, Block y, List<Segment> segments) {
    if (x.type() != y.type() || x.rows() != y.rows()) {
      throw new TrimtabException(
          "found %d rows of %s for %d of %s, expected as many of the same type"
              .formatted(x.rows(), x.type(), y.rows(), y.type()));
    }
    List<Piece> pieces = new ArrayList<>();
    long products = 0;
    int most = 0;
    for (Segment each : segments) {
      each.check(x, y);
      most = Math.max(most, each.rank);
      products += (long) each.rows * each.rank * (x.columns() + y.columns());
      for (int row = 0; row < each.rows; row += TOGETHER) {
        pieces.add(new Piece(each, each.start + row, Math.min(TOGETHER, each.rows - row)));
      }
    }
    int threads = products < WORTH_THREADS ? 1 : Math.min(crew.threads(), pieces.size());
    int widest = most;
    AtomicInteger next = new AtomicInteger();
    crew.run(
        threads,
        _ -> {
          int i = next.getAndIncrement();
          if (i < pieces.size()) {
            Room room = new Room(x, y, widest);
            for (; i < pieces.size(); i = next.getAndIncrement()) {
              room.add(pieces.get(i));
            }
          }
        });
  }

  private static int up(int n, int step) {
    return (n + step - 1) / step * step;
  }

  /** What one thread works in. */
  private final class Room {
    private final Block x;
    private final Block y;
    private final int in;
    private final int out;
    private final int inStride;
    private final int outStride;
    private final float[] inputs;
    private final float[] outputs;
    private final float[] down;
    private final float[] up;
    private final float[] stored;
    private final float[] ordered;
    private final float[] parts;
    private final float[] inner;
    private Segment held = new Segment(0, 0, 0, MemorySegment.NULL, MemorySegment.NULL, 0);

    Room(Block x, Block y, int most) {
      this.x = x;
      this.y = y;
      in = x.columns();
      out = y.columns();
      inStride = up(in, loops.step());
      outStride = up(out, loops.step());
      int ranks = up(most, LowRankLanes.RANKS);
      inputs = new float[LowRankLanes.ROWS * inStride];
      outputs = new float[LowRankLanes.ROWS * outStride];
      down = new float[ranks * inStride];
      up = new float[ranks * outStride];
      stored = new float[most * out];
      ordered = new float[x.type() == Rows.Type.F32 ? 0 : Math.max(in, out)];
      parts = new float[loops.parts(ranks)];
      inner = new float[LowRankLanes.ROWS * ranks];
    }

    void add(Piece piece) {
      if (!piece.segment.equals(held)) {
        hold(piece.segment);
      }
      for (int row = 0; row < piece.rows; row += LowRankLanes.ROWS) {
        add(piece.start + row, Math.min(LowRankLanes.ROWS, piece.rows - row));
      }
    }

    private void hold(Segment segment) {
      held = segment;
      int rank = segment.rank;
      for (int j = 0; j < rank; j++) {
        long from = (long) j * in * Float.BYTES;
        MemorySegment.copy(segment.down, ScalarLanes.FLOAT, from, down, j * inStride, in);
        order(down, j * inStride, in);
      }
      Arrays.fill(down, rank * inStride, up(rank, LowRankLanes.RANKS) * inStride, 0);
      MemorySegment.copy(segment.up, ScalarLanes.FLOAT, 0, stored, 0, rank * out);
      turn(rank);
    }

    /** B's columns as rows, by stretches that stay in the cache while all columns are taken. */
    private void turn(int rank) {
      for (int start = 0; start < out; start += STRETCH) {
        int n = Math.min(STRETCH, out - start);
        for (int j = 0; j < rank; j++) {
          int from = start * rank + j;
          int to = j * outStride + start;
          for (int i = 0; i < n; i++) {
            up[to + i] = stored[from + i * rank];
          }
        }
      }
      for (int j = 0; j < rank; j++) {
        order(up, j * outStride, out);
      }
    }

    /** Brings a row into the order in which widened rows of x and y stand. */
    private void order(float[] row, int at, int n) {
      if (x.type() == Rows.Type.F32) {
        return;
      }
      System.arraycopy(row, at, ordered, 0, n);
      for (int i = 0; i < n; i++) {
        row[at + arrays.place(x.type(), i, n)] = ordered[i];
      }
    }

    private void add(long first, int rows) {
      for (int r = 0; r < rows; r++) {
        arrays.widen(x.type(), x.data(), x.at(first + r), inputs, r * inStride, in);
        arrays.widen(y.type(), y.data(), y.at(first + r), outputs, r * outStride, out);
      }
      int ranks = up(held.rank, LowRankLanes.RANKS);
      loops.inner(inputs, down, inStride, ranks, parts, inner);
      arrays.scale(inner, (float) held.scale, LowRankLanes.ROWS * held.rank);
      loops.outer(inner, up, outStride, held.rank, outputs);
      for (int r = 0; r < rows; r++) {
        arrays.narrow(y.type(), outputs, r * outStride, out, y.data(), y.at(first + r));
      }
    }
  }
}
