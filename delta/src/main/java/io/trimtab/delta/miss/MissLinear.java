package io.trimtab.delta.miss;

import io.trimtab.delta.LinearDelta;
import io.trimtab.model.Linear;
import io.trimtab.model.Pass;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.ChangedProduct;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.LinearAlgebra;
import io.trimtab.tensor.Neural;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Reduction;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** MiSS beside a linear layer: y + Dᵀ (Σ shards of x), D [rank, out] or a part that repeats. */
final class MissLinear extends LinearDelta {
  private final Parameter block;
  private final double dropout;

  private MissLinear(Linear layer, Parameter block, double dropout) {
    super(layer);
    this.block = block;
    this.dropout = dropout;
  }

  /** D [rank, width] zero, so that training starts from the base. */
  static MissLinear create(Linear layer, int rank, long width, double dropout) {
    Device device = layer.weight().device();
    try (Scope _ = Scope.open()) {
      Tensor zero = Creation.zeros(DType.F32, device, rank, width);
      return new MissLinear(layer, Parameter.of(layer.path() + ".miss_block", zero), dropout);
    }
  }

  @Override
  protected Tensor product(Tensor input, Pass pass) {
    DType type = input.dtype();
    Tensor seen = pass.training().map(rng -> Neural.dropout(input, dropout, rng)).orElse(input);
    Tensor narrow = LinearAlgebra.matmul(shardSum(seen), block.value().to(type));
    return repeated(narrow, 1, layer().weight().out());
  }

  @Override
  protected ChangedProduct.@Nullable Change change(Pass pass) {
    long in = layer().weight().in();
    long out = layer().weight().out();
    long rank = block.value().size(0);
    boolean even = in % rank == 0 && out % block.value().size(1) == 0;
    return drops(dropout, pass) || !even ? null : new MissChange(block);
  }

  /** [tokens, in] to the sum of its shards [tokens, rank]; the last one may be shorter. */
  private Tensor shardSum(Tensor input) {
    long rank = block.value().size(0);
    long in = input.size(1);
    long whole = in / rank;
    Tensor cut = Indexing.slice(input, 1, 0, whole * rank);
    Tensor sum = Reduction.sum(cut.reshape(-1, whole, rank), 1);
    long rest = in - whole * rank;
    if (rest == 0) {
      return sum;
    }
    Tensor tail = Indexing.slice(input, 1, whole * rank, rest);
    Tensor head = Arithmetic.add(Indexing.slice(sum, 1, 0, rest), tail);
    return Indexing.concat(List.of(head, Indexing.slice(sum, 1, rest, rank - rest)), 1);
  }

  /** Copies side by side along a dimension up to a size, the last one cut. */
  private static Tensor repeated(Tensor one, int dimension, long size) {
    long width = one.size(dimension);
    int copies = (int) ((size + width - 1) / width);
    Tensor all = Indexing.concat(Collections.nCopies(copies, one), dimension);
    return copies * width == size ? all : Indexing.slice(all, dimension, 0, size);
  }

  @Override
  protected Tensor change() {
    Tensor wide = repeated(block.value(), 1, layer().weight().out());
    return repeated(wide.transpose(0, 1), 1, layer().weight().in());
  }

  @Override
  public List<Parameter> parameters() {
    return List.of(block);
  }
}
