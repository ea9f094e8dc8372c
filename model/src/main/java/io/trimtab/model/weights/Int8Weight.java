package io.trimtab.model.weights;

import io.trimtab.hub.blocks.Int8Rows;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.IntegerProducts;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.lang.foreign.Arena;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A matrix of 8-bit whole numbers with a scale for each row. A few tokens at a time are multiplied
 * by the numbers as they are; for many it pays to unpack tiles.
 */
public final class Int8Weight extends PackedWeight {
  /** Tokens up to which the engine's product of whole numbers is the faster one. */
  private static final long FEW = 4;

  /** What that product takes rows to be a whole number of. */
  private static final long STEP = 32;

  private final Tensor codes;
  private final Tensor scales;

  /** A matrix over an arena that is closed with it, where that is not null. */
  public Int8Weight(Int8Rows rows, DType dtype, @Nullable Arena arena) {
    super(rows, dtype, arena);
    try (Scope scope = Scope.open()) {
      codes = scope.keep(Creation.borrow(rows.codes(), DType.I8, rows.shape())).held();
      float[] factors = new float[Math.toIntExact(out())];
      for (int row = 0; row < factors.length; row++) {
        factors[row] = rows.scale(row);
      }
      scales = scope.keep(Creation.floats(factors, factors.length).to(dtype)).held();
    }
  }

  @Override
  protected Tensor forward(Tensor input, @Nullable Tensor bias) {
    long tokens = input.elements() / in();
    if (tokens > FEW || in() % STEP != 0) {
      return super.forward(input, bias);
    }
    long[] shape = Arrays.copyOf(input.shape(), input.rank());
    shape[shape.length - 1] = out();
    Tensor product =
        IntegerProducts.int8Rows(input.reshape(tokens, in()), codes, scales).reshape(shape);
    return bias == null ? product : Arithmetic.add(product, bias);
  }

  @Override
  public synchronized void close() {
    codes.close();
    scales.close();
    super.close();
  }
}
