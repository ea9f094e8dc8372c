package io.trimtab.model.weights;

import io.trimtab.hub.blocks.Int8Rows;
import io.trimtab.hub.blocks.PackedTensor;
import io.trimtab.hub.blocks.QuantizedTensor;
import io.trimtab.kernel.Crew;
import io.trimtab.kernel.Format;
import io.trimtab.kernel.Matrix;
import io.trimtab.kernel.Panels;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Engine;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * A matrix as it is packed: whole numbers of a few bits, and scales for some of them together. The
 * bytes may be those of the mapped file; nothing is copied.
 */
public class PackedWeight extends TiledWeight {
  /** Values from which on it pays to unpack with several threads. */
  private static final long WORTH_SHARING = 1 << 15;

  private final PackedTensor packed;
  private final @Nullable Arena arena;
  private @Nullable Laid panels;

  /** The matrix as the kernels read it, and where it is. */
  private record Laid(Matrix matrix, Arena arena) {}

  /**
   * A matrix.
   *
   * @param packed [out, in]
   * @param dtype the type of products
   * @param arena where the bytes are, which is closed with the weight; null for bytes that somebody
   *     else frees, such as a file that is closed after it
   */
  public PackedWeight(PackedTensor packed, DType dtype, @Nullable Arena arena) {
    super(packed.shape()[0], packed.shape()[1], dtype);
    this.packed = packed;
    this.arena = arena;
  }

  /** A matrix in the form that has the fastest products for its packing. */
  public static Weight of(PackedTensor packed, DType dtype, @Nullable Arena arena) {
    return packed instanceof Int8Rows rows
        ? new Int8Weight(rows, dtype, arena)
        : new PackedWeight(packed, dtype, arena);
  }

  /** The matrix as it is packed. */
  public final PackedTensor packed() {
    return packed;
  }

  @Override
  protected final Tensor tile(long start, long count) {
    return plain(out -> unpack(start, count, out), count, in());
  }

  private void unpack(long start, long count, MemorySegment out) {
    long row = in() * Float.BYTES;
    long parts = count * in() < WORTH_SHARING ? 1 : Math.min(count, Engine.threads());
    LongStream.range(0, parts)
        .parallel()
        .forEach(
            part -> {
              long from = count * part / parts;
              long to = count * (part + 1) / parts;
              packed.dequantize(
                  start + from, to - from, out.asSlice(from * row, (to - from) * row));
            });
  }

  @Override
  public final Tensor rows(Tensor indices) {
    long[] chosen = indices.toLongs();
    long row = in() * Float.BYTES;
    long[] shape = Arrays.copyOf(indices.shape(), indices.rank() + 1);
    shape[shape.length - 1] = in();
    return plain(
        out -> {
          for (int i = 0; i < chosen.length; i++) {
            Objects.checkIndex(chosen[i], out());
            packed.dequantize(chosen[i], 1, out.asSlice(i * row, row));
          }
        },
        shape);
  }

  private Tensor plain(Consumer<MemorySegment> filling, long... shape) {
    return Scope.of(() -> Creation.written(DType.F32, filling, shape).to(dtype()));
  }

  @Override
  public final Device device() {
    return Device.CPU;
  }

  @Override
  public final String form() {
    return packed.form();
  }

  @Override
  public final long bytes() {
    return packed.bytes();
  }

  /**
   * Whether products of single rows read this packing as it is, once it is laid out for them: not
   * where each of them would unpack the matrix.
   */
  public static boolean isStreamed(PackedTensor packed) {
    return streamed(packed).isPresent();
  }

  private static Optional<Format> streamed(PackedTensor packed) {
    return packed instanceof QuantizedTensor blocks
        ? Arrays.stream(Format.values())
            .filter(known -> known.name().equals(blocks.format().name()))
            .findFirst()
        : Optional.empty();
  }

  /**
   * The blocks laid out for the kernels, made at the first call. That takes their bytes once more;
   * those of a mapped file need not stay in memory then.
   */
  @Override
  public final synchronized @Nullable Matrix matrix(Crew crew) {
    if (panels == null && packed instanceof QuantizedTensor blocks) {
      streamed(packed).ifPresent(format -> panels = lay(blocks.blocks(), format, crew));
    }
    return panels == null ? null : panels.matrix();
  }

  @SuppressWarnings("MustBeClosedChecker") // closed with the weight
  private Laid lay(MemorySegment blocks, Format format, Crew crew) {
    Arena room = Arena.ofShared();
    try {
      int rows = Math.toIntExact(out());
      Matrix made = Panels.pack(format, rows, Math.toIntExact(in()), blocks, crew, room);
      if (blocks.isMapped()) {
        blocks.unload();
      }
      return new Laid(made, room);
    } catch (RuntimeException e) {
      room.close();
      throw e;
    }
  }

  @Override
  public synchronized void close() {
    if (panels != null) {
      panels.arena().close();
      panels = null;
    }
    if (arena != null && arena.scope().isAlive()) {
      arena.close();
    }
  }
}
