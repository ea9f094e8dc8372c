package io.trimtab.delta.miss;

import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.ChangedProduct;
import io.trimtab.tensor.LinearAlgebra;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Reduction;
import io.trimtab.tensor.Tensor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Dᵀ [width, rank] added to every block of W of its size: a pass over W and no product. The
 * gradient of D is (Σ shards of x)ᵀ dY [rank, out], with what falls on the same output of D summed.
 *
 * @param block D [rank, width]; rank divides the layer's input, width its output
 */
record MissChange(Parameter block) implements ChangedProduct.Change {
  @Override
  public List<Tensor> trained() {
    return List.of(block.value());
  }

  @Override
  public Tensor changed(Tensor weight, List<Tensor> trained) {
    Tensor turned = trained.getFirst().to(weight.dtype()).transpose(0, 1);
    long width = turned.size(0);
    long rank = turned.size(1);
    long shards = weight.size(1) / rank;
    Tensor blocks = weight.reshape(-1, width, shards, rank);
    return Arithmetic.add(blocks, turned.reshape(1, width, 1, rank)).reshape(weight.shape());
  }

  @Override
  public List<@Nullable Tensor> gradients(
      Tensor input, Tensor gradient, List<Tensor> trained, List<Boolean> wanted) {
    Tensor d = trained.getFirst();
    long rank = d.size(0);
    long width = d.size(1);
    Tensor sum = Reduction.sum(input.reshape(-1, input.size(1) / rank, rank), 1);
    Tensor wide = LinearAlgebra.matmul(sum.transpose(0, 1), gradient);
    long copies = wide.size(1) / width;
    Tensor own = copies == 1 ? wide : Reduction.sum(wide.reshape(rank, copies, width), 1);
    return List.of(own.to(d.dtype()));
  }

  @Override
  public boolean isCheap() {
    return true;
  }
}
