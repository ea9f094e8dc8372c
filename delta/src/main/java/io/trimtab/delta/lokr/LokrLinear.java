package io.trimtab.delta.lokr;

import io.trimtab.delta.LinearDelta;
import io.trimtab.delta.LycorisDropout;
import io.trimtab.model.Linear;
import io.trimtab.model.Pass;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Tensor;
import java.util.List;
import java.util.stream.Stream;

/** LoKr beside a linear layer: y + s (w1 ⊗ w2) x. */
final class LokrLinear extends LinearDelta {
  private final KroneckerFactor small;
  private final KroneckerFactor large;
  private final Factors in;
  private final Factors out;
  private final double scale;
  private final LycorisDropout dropout;

  private LokrLinear(
      Linear layer,
      KroneckerFactor small,
      KroneckerFactor large,
      Factors in,
      Factors out,
      double scale,
      LycorisDropout dropout) {
    super(layer);
    this.small = small;
    this.large = large;
    this.in = in;
    this.out = out;
    this.scale = scale;
    this.dropout = dropout;
  }

  /** w1 (or its first factor) zero, all else Kaiming, so that training starts from the base. */
  static LokrLinear create(
      Linear layer,
      int rank,
      double scale,
      int factor,
      boolean both,
      LycorisDropout dropout,
      Rng rng) {
    Device device = layer.weight().device();
    Factors in = Factors.of(layer.weight().in(), factor);
    Factors out = Factors.of(layer.weight().out(), factor);
    String first = layer.path() + ".lokr_w1";
    String second = layer.path() + ".lokr_w2";
    boolean thinSmall = both && 2L * rank < Math.max(out.small(), in.small());
    boolean thinLarge = 2L * rank < Math.max(out.large(), in.large());
    KroneckerFactor small =
        thinSmall
            ? KroneckerFactor.product(first, out.small(), rank, in.small(), true, rng, device)
            : KroneckerFactor.whole(first, out.small(), in.small(), true, rng, device);
    KroneckerFactor large =
        thinLarge
            ? KroneckerFactor.product(second, out.large(), rank, in.large(), false, rng, device)
            : KroneckerFactor.whole(second, out.large(), in.large(), false, rng, device);
    return new LokrLinear(layer, small, large, in, out, scale, dropout);
  }

  @Override
  protected Tensor product(Tensor input, Pass pass) {
    long tokens = input.size(0);
    // (w1 ⊗ w2) x is w1 X w2ᵀ for X, the input as a matrix [c, d].
    Tensor matrix = input.reshape(tokens, in.small(), in.large());
    Tensor right = large.apply(matrix).transpose(1, 2); // [tokens, b, c]
    Tensor both = small.apply(right).transpose(1, 2); // [tokens, a, b]
    Tensor product = both.reshape(tokens, out.small() * out.large());
    return dropout.apply(Arithmetic.multiply(product, scale), pass);
  }

  @Override
  protected Tensor change() {
    Tensor first = small.dense().reshape(out.small(), 1, in.small(), 1);
    Tensor second = large.dense().reshape(1, out.large(), 1, in.large());
    Tensor kronecker =
        Arithmetic.multiply(first, second)
            .reshape(out.small() * out.large(), in.small() * in.large());
    return Arithmetic.multiply(kronecker, scale);
  }

  @Override
  public List<Parameter> parameters() {
    return Stream.of(small, large).flatMap(each -> each.parameters().stream()).toList();
  }
}
