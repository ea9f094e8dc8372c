package io.trimtab.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.openblas.global.openblas_nolapack;

/**
 * Low-rank products of many segments of rows, each with matrices of its own, added in place: what a
 * batch under many LoRAs costs beyond the base's own products (SGMV of Chen et al., "Punica",
 * 2023). Neither are rows gathered, padded or copied, nor is there a tensor a segment: each is two
 * small products of the BLAS over the memory there is, and segments run side by side. For a JVM
 * without the Vector API: the BLAS has a kernel that packs nothing for few processors only.
 */
public final class ThinProducts {
  private static final int ROW_MAJOR = 101;
  private static final int AS_IT_IS = 111;
  private static final int TRANSPOSED = 112;

  /** Wider ones are no thin products: the engine's own way is as fast. */
  private static final int MOST = 64;

  // What the BLAS computes on the calling thread, without packing: its limits for small products.
  private static final long SMALL_RESULT = 1200;
  private static final long SMALL_PRODUCT = 1_000_000;

  /** Fewer multiplications than this are done before other threads have started. */
  private static final long WORTH_THREADS = 2_000_000;

  private ThinProducts() {}

  /**
   * The matrices of some rows, which become y + scale · B A x.
   *
   * @param start the first row
   * @param rows how many
   * @param down A [rank, in]
   * @param up B [out, rank]
   * @param scale what the product is multiplied by
   */
  public record Segment(int start, int rows, Tensor down, Tensor up, double scale) {
    private int rank() {
      return (int) down.size(0);
    }
  }

  /** Some rows of a segment that one call of the BLAS takes at once. */
  private record Work(int start, int rows, int segment) {}

  /**
   * Adds every segment's product to its rows. A row's result does not depend on what other segments
   * there are, nor on the number of threads.
   *
   * @param output [rows, out], whose memory is written: nobody else may read it yet
   * @param input [rows, in]
   * @param segments rows that do not overlap
   * @return false, and nothing done, where a graph is recorded or the tensors are not plain F32
   *     matrices on the CPU, or no thin ones
   */
  public static boolean add(Tensor output, Tensor input, List<Segment> segments) {
    boolean able =
        !Gradients.recording()
            && Stream.of(output, input).allMatch(ThinProducts::isPlain)
            && segments.stream().allMatch(each -> fits(each, output, input));
    if (!able) {
      return false;
    }
    List<Work> all = new ArrayList<>();
    List<Matrices> matrices = new ArrayList<>();
    long products = 0;
    long room = 0;
    int in = (int) input.size(1);
    int out = (int) output.size(1);
    for (int i = 0; i < segments.size(); i++) {
      Segment segment = segments.get(i);
      int most = rowsAtOnce(segment.rank(), Math.max(in, out));
      for (int row = 0; row < segment.rows(); row += most) {
        all.add(new Work(segment.start() + row, Math.min(most, segment.rows() - row), i));
      }
      matrices.add(new Matrices(segment, room));
      products += (long) segment.rows() * segment.rank() * (in + out);
      room += (long) segment.rank() * out;
    }
    try (FloatPointer turned = new FloatPointer(room)) {
      MemorySegment turnedMemory =
          MemorySegment.ofAddress(turned.address()).reinterpret(room * Float.BYTES);
      Run run = new Run(input.memory(), output.memory(), in, out, turnedMemory, matrices, all);
      int threads = products > WORTH_THREADS ? Math.min(Engine.threads(), all.size()) : 1;
      SideBySide.run(threads, run);
    }
    return true;
  }

  private static int rowsAtOnce(int rank, int widest) {
    return (int) Math.max(1, Math.min(SMALL_RESULT / rank, SMALL_PRODUCT / ((long) rank * widest)));
  }

  private static boolean isPlain(Tensor tensor) {
    return tensor.rank() == 2
        && tensor.dtype() == DType.F32
        && tensor.device().equals(Device.CPU)
        && tensor.handle().is_contiguous();
  }

  private static boolean fits(Segment segment, Tensor output, Tensor input) {
    return isPlain(segment.down())
        && isPlain(segment.up())
        && segment.rank() >= 1
        && segment.rank() <= MOST
        && segment.down().size(1) == input.size(1)
        && segment.up().size(1) == segment.rank()
        && segment.up().size(0) == output.size(1)
        && segment.start() >= 0
        && segment.start() + segment.rows() <= input.size(0)
        && input.size(0) == output.size(0);
  }

  /** A segment's matrices; B is turned by the first thread that needs it. */
  private static final class Matrices {
    private final MemorySegment down;
    private final MemorySegment up;
    private final int rank;
    private final float scale;
    private final long place;
    private boolean turned;

    /**
     * Those of a segment.
     *
     * @param place where in the memory for turned ones, in elements
     */
    Matrices(Segment segment, long place) {
      down = segment.down().memory();
      up = segment.up().memory();
      rank = segment.rank();
      scale = (float) segment.scale();
      this.place = place;
    }

    /** B's columns as rows [rank, out]: with them the BLAS has a kernel that packs nothing. */
    synchronized FloatPointer turned(MemorySegment room, int out) {
      if (!turned) {
        float[] rows = up.toArray(ValueLayout.JAVA_FLOAT);
        float[] columns = new float[rows.length];
        for (int j = 0; j < rank; j++) {
          for (int i = 0, from = j; i < out; i++, from += rank) {
            columns[j * out + i] = rows[from];
          }
        }
        MemorySegment.copy(
            columns, 0, room, ValueLayout.JAVA_FLOAT, place * Float.BYTES, columns.length);
        turned = true;
      }
      return at(room, place);
    }
  }

  /**
   * One call's work, which any number of threads take from side by side.
   *
   * @param x [rows, in]
   * @param y [rows, out]
   * @param room for the turned B of all segments
   */
  private record Run(
      MemorySegment x,
      MemorySegment y,
      int in,
      int out,
      MemorySegment room,
      List<Matrices> matrices,
      List<Work> all,
      AtomicInteger next)
      implements Runnable {
    Run(
        MemorySegment x,
        MemorySegment y,
        int in,
        int out,
        MemorySegment room,
        List<Matrices> matrices,
        List<Work> all) {
      this(x, y, in, out, room, matrices, all, new AtomicInteger());
    }

    @Override
    public void run() {
      try (FloatPointer inner = new FloatPointer(SMALL_RESULT)) {
        for (int i = next.getAndIncrement(); i < all.size(); i = next.getAndIncrement()) {
          add(all.get(i), inner);
        }
      }
    }

    private void add(Work some, FloatPointer inner) {
      Matrices own = matrices.get(some.segment());
      openblas_nolapack.cblas_sgemm(
          ROW_MAJOR,
          AS_IT_IS,
          TRANSPOSED,
          some.rows(),
          own.rank,
          in,
          own.scale,
          at(x, (long) some.start() * in),
          in,
          at(own.down, 0),
          in,
          0f,
          inner,
          own.rank);
      openblas_nolapack.cblas_sgemm(
          ROW_MAJOR,
          AS_IT_IS,
          AS_IT_IS,
          some.rows(),
          out,
          own.rank,
          1f,
          inner,
          own.rank,
          own.turned(room, out),
          out,
          1f,
          at(y, (long) some.start() * out),
          out);
    }
  }

  private static FloatPointer at(MemorySegment memory, long element) {
    return new FloatPointer(Native.address(memory.address() + element * Float.BYTES));
  }
}
