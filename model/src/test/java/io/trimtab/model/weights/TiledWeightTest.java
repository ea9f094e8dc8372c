package io.trimtab.model.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trimtab.hub.Quantizer;
import io.trimtab.hub.blocks.PackedTensor;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.FiniteDifferences;
import io.trimtab.tensor.Gradients;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.LinearAlgebra;
import io.trimtab.tensor.Reduction;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Whatever the form, products and gradients are those of the plain matrix that it stands for. */
class TiledWeightTest {
  private static final long OUT = 24;
  private static final long IN = 64;

  /** A form, made of plain numbers. */
  record Form(String name, boolean manyTiles) {
    Weight of(Tensor plain, DType dtype) {
      Weight whole =
          name.equals("bf16")
              ? new HalfWeight(plain.to(DType.BF16).held(), dtype)
              : packed(Quantizer.valueOf(name), plain, dtype);
      return manyTiles ? new Sliced(whole) : whole;
    }

    @SuppressWarnings("MustBeClosedChecker") // the weight closes it
    private static Weight packed(Quantizer quantizer, Tensor plain, DType dtype) {
      Arena arena = Arena.ofShared();
      MemorySegment values = plain.to(DType.F32).toBytes();
      PackedTensor packed = quantizer.pack(values, plain.shape(), arena);
      return PackedWeight.of(packed, dtype, arena);
    }
  }

  /** The same in tiles of five rows. */
  private static final class Sliced extends TiledWeight {
    private final Weight whole;

    Sliced(Weight whole) {
      super(whole.out(), whole.in(), whole.dtype(), 5 * whole.in());
      this.whole = whole;
    }

    @Override
    protected Tensor tile(long start, long count) {
      return Indexing.slice(whole.dense(), 0, start, count);
    }

    @Override
    public Tensor rows(Tensor indices) {
      return whole.rows(indices);
    }

    @Override
    public Device device() {
      return whole.device();
    }

    @Override
    public String form() {
      return whole.form();
    }

    @Override
    public long bytes() {
      return whole.bytes();
    }

    @Override
    public void close() {
      whole.close();
    }
  }

  static Stream<Form> forms() {
    return Stream.of("bf16", "NF4", "INT8", "INT4")
        .flatMap(name -> Stream.of(new Form(name, false), new Form(name, true)));
  }

  private static Tensor random(long seed, DType dtype, long... shape) {
    return Rng.seeded(seed).normal(0.5, DType.F32, Device.CPU, shape).to(dtype);
  }

  @ParameterizedTest
  @MethodSource("forms")
  void productsAreThoseOfThePlainMatrix(Form form) {
    try (Scope _ = Scope.open();
        Weight weight = form.of(random(1, DType.F32, OUT, IN), DType.F32)) {
      Tensor bias = random(2, DType.F32, OUT);
      for (long tokens : new long[] {1, 3, 40}) {
        Tensor x = random(tokens, DType.F32, tokens, IN);
        Tensor expected = LinearAlgebra.linear(x, weight.dense(), bias);
        assertThat(gap(weight.product(x, bias), expected)).isLessThan(2e-5f);
        Tensor unbiased = LinearAlgebra.linear(x, weight.dense(), null);
        assertThat(gap(weight.product(x, null), unbiased)).isLessThan(2e-5f);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("forms")
  void gradientsAreThoseOfThePlainMatrix(Form form) {
    try (Scope _ = Scope.open();
        Weight weight = form.of(random(1, DType.F32, OUT, IN), DType.F32)) {
      Tensor x = Gradients.variable(random(3, DType.F32, 2, 7, IN));
      Tensor bias = Gradients.variable(random(4, DType.F32, OUT));
      Tensor weighing = random(5, DType.F32, 2, 7, OUT);
      List<Tensor> ours =
          Gradients.of(List.of(weight.product(x, bias)), List.of(weighing), List.of(x, bias));
      List<Tensor> theirs =
          Gradients.of(
              List.of(LinearAlgebra.linear(x, weight.dense(), bias)),
              List.of(weighing),
              List.of(x, bias));
      assertThat(gap(ours.get(0), theirs.get(0))).as("to the input").isLessThan(2e-5f);
      assertThat(gap(ours.get(1), theirs.get(1))).as("to the bias").isLessThan(2e-5f);
    }
  }

  @ParameterizedTest
  @MethodSource("forms")
  void gradientsAreTheLimitOfDifferences(Form form) {
    try (Scope _ = Scope.open();
        Weight weight = form.of(random(1, DType.F32, OUT, IN), DType.F64)) {
      assertThat(
              FiniteDifferences.largestError(
                  inputs -> {
                    Tensor y = weight.product(inputs.get(0), inputs.get(1));
                    return Reduction.sum(Arithmetic.multiply(y, y));
                  },
                  // More tokens than those that have a product of their own.
                  List.of(random(6, DType.F64, 6, IN), random(7, DType.F64, OUT))))
          .isLessThan(1e-6);
    }
  }

  @ParameterizedTest
  @MethodSource("forms")
  void rowsAreThoseOfThePlainMatrix(Form form) {
    try (Scope _ = Scope.open();
        Weight weight = form.of(random(1, DType.F32, OUT, IN), DType.F32)) {
      Tensor chosen = Creation.longs(new long[] {23, 0, 7, 7}, 2, 2);
      Tensor rows = weight.rows(chosen);
      assertThat(rows.shape()).containsExactly(2, 2, IN);
      assertThat(gap(rows, Indexing.rows(weight.dense(), chosen))).isZero();
      Tensor outside = Creation.longs(new long[] {OUT}, 1);
      assertThatThrownBy(() -> weight.rows(outside)).isInstanceOf(RuntimeException.class);
    }
  }

  @ParameterizedTest
  @MethodSource("forms")
  void takesLessThanPlainNumbers(Form form) {
    try (Scope _ = Scope.open();
        Weight weight = form.of(random(1, DType.F32, OUT, IN), DType.F32)) {
      double bits = 8.0 * weight.bytes() / (OUT * IN);
      assertThat(bits)
          .isCloseTo(
              switch (form.name()) {
                case "bf16" -> 16;
                case "INT8" -> 8 + 32.0 / IN;
                default -> 4.5;
              },
              org.assertj.core.api.Assertions.within(1e-9));
    }
  }

  private static float gap(Tensor a, Tensor b) {
    float[] ours = a.toFloats();
    float[] theirs = b.toFloats();
    assertThat(ours).hasSameSizeAs(theirs);
    float largest = 0;
    for (int i = 0; i < ours.length; i++) {
      largest = Math.max(largest, Math.abs(ours[i] - theirs[i]));
    }
    return largest;
  }
}
