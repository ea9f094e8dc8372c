package io.trimtab.model.weights;

import io.trimtab.kernel.Crew;
import io.trimtab.kernel.Matrix;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.FrozenProduct;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.LinearAlgebra;
import io.trimtab.tensor.Tensor;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * The matrix of a linear layer or of an embedding, in whatever form it is held. It is frozen:
 * products pass the gradient on to their input, exactly that of {@link #dense}, and to the bias.
 */
public interface Weight extends AutoCloseable {
  /**
   * x Wᵀ + bias: [.., in] to [.., out], in memory of its own. Outside training low-rank changes are
   * added to the result in place, so that it must share its elements with nothing: neither with the
   * input, nor the weight, nor with what another call gave or will give.
   */
  Tensor product(Tensor input, @Nullable Tensor bias);

  /** Some rows of W, I64 [chosen] or [..]: [.., in], as {@link #dense} has them. */
  Tensor rows(Tensor indices);

  /**
   * W as a plain tensor [out, in]. Of a weight that is held otherwise it is computed at each call,
   * and freed with the scope that is open then: for what needs the whole matrix, such as merges.
   */
  Tensor dense();

  /**
   * The matrix as products of single rows read it, in memory that is freed with this weight; null
   * where they go through {@link #product} alone.
   *
   * @param crew who lays it out, where it has to be laid out for them
   */
  default @Nullable Matrix matrix(Crew crew) {
    return null;
  }

  /** The size of an input. */
  long in();

  /** The size of an output. */
  long out();

  /** The element type of {@link #dense} and of products. */
  DType dtype();

  /** Where products are computed. */
  Device device();

  /** What reports call the form, such as {@code f32}, {@code q4_1} or {@code nf4}. */
  String form();

  /** The bytes that it takes; those of a mapped file count, although they need not be resident. */
  long bytes();

  /** Frees what it holds outside the Java heap; layers that share it must not be used any more. */
  @Override
  void close();

  /** A plain matrix [out, in]. */
  record Dense(Tensor dense) implements Weight {
    @Override
    public Tensor product(Tensor input, @Nullable Tensor bias) {
      // What a patch made of the stored matrix may be trained.
      return dense.requiresGradient()
          ? LinearAlgebra.linear(input, dense, bias)
          : FrozenProduct.linear(input, dense, bias);
    }

    @Override
    public Tensor rows(Tensor indices) {
      return Indexing.rows(dense, indices);
    }

    @Override
    public @Nullable Matrix matrix(Crew crew) {
      return dense.requiresGradient() ? null : PlainRows.of(dense);
    }

    @Override
    public long in() {
      return dense.size(1);
    }

    @Override
    public long out() {
      return dense.size(0);
    }

    @Override
    public DType dtype() {
      return dense.dtype();
    }

    @Override
    public Device device() {
      return dense.device();
    }

    @Override
    public String form() {
      return dtype().name().toLowerCase(Locale.ROOT);
    }

    @Override
    public long bytes() {
      return dense.byteSize();
    }

    @Override
    public void close() {
      dense.close();
    }
  }
}
