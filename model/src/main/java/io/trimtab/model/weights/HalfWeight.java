package io.trimtab.model.weights;

import io.trimtab.kernel.Crew;
import io.trimtab.kernel.Matrix;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Tensor;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * A matrix of 16-bit numbers that is multiplied in single precision: half the memory, and nothing
 * lost of a checkpoint that has such numbers.
 */
public final class HalfWeight extends TiledWeight {
  private final Tensor held;

  /**
   * A matrix.
   *
   * @param held BF16 or F16 [out, in], which this weight owns
   * @param dtype the type of products
   */
  public HalfWeight(Tensor held, DType dtype) {
    super(held.size(0), held.size(1), dtype);
    this.held = held;
  }

  /** The numbers as they are held, BF16 or F16 [out, in]. */
  public Tensor held() {
    return held;
  }

  @Override
  protected Tensor tile(long start, long count) {
    return Indexing.slice(held, 0, start, count).to(dtype());
  }

  @Override
  public Tensor rows(Tensor indices) {
    return Indexing.rows(held, indices).to(dtype());
  }

  @Override
  public @Nullable Matrix matrix(Crew crew) {
    return PlainRows.of(held);
  }

  @Override
  public Device device() {
    return held.device();
  }

  @Override
  public String form() {
    return held.dtype().name().toLowerCase(Locale.ROOT);
  }

  @Override
  public long bytes() {
    return held.byteSize();
  }

  @Override
  public void close() {
    held.close();
  }
}
