package io.trimtab.delta.miss;

import io.trimtab.delta.Part;
import io.trimtab.model.Linear;
import io.trimtab.model.Patch;
import io.trimtab.model.Site;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.LinearAlgebra;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.util.List;

/**
 * MiSS's variant bat: every block V [rank, rank] of the weight becomes V + V D_g + D_g, g being the
 * group of its rows.
 *
 * <p>It acts at the output, not at the weight: a head that shares an embedding's table would change
 * the embedding as well.
 */
final class MissBlocks implements Part {
  private final Linear layer;
  private final Parameter blocks;

  private MissBlocks(Linear layer, Parameter blocks) {
    this.layer = layer;
    this.blocks = blocks;
  }

  /** D [out / rank, rank, rank] zero, so that training starts from the base. */
  static MissBlocks create(Linear layer, int rank) {
    Device device = layer.weight().device();
    try (Scope _ = Scope.open()) {
      Tensor zero = Creation.zeros(DType.F32, device, layer.weight().out() / rank, rank, rank);
      return new MissBlocks(layer, Parameter.of(layer.path() + ".miss_block", zero));
    }
  }

  @Override
  public Site<?> site() {
    return Site.output(layer.path());
  }

  @Override
  public Patch patch() {
    return (Patch.Output)
        (input, output, pass) -> {
          Tensor change = change(layer.weight().dense()).to(input.dtype());
          return Arithmetic.add(output, LinearAlgebra.linear(input, change, null));
        };
  }

  /** What is added to a weight [out, in]. */
  private Tensor change(Tensor weight) {
    Tensor d = blocks.value();
    long groups = d.size(0);
    long rank = d.size(1);
    long columns = weight.size(1) / rank;
    Tensor cut =
        Indexing.permute(
            weight.to(d.dtype()).reshape(groups, rank, columns, rank), 2, 0, 1, 3); // blocks V
    Tensor changed = Arithmetic.add(LinearAlgebra.matmul(cut, d), d);
    return Indexing.permute(changed, 1, 2, 0, 3).reshape(weight.shape());
  }

  @Override
  public List<Parameter> parameters() {
    return List.of(blocks);
  }

  @Override
  public List<String> baseTensors() {
    return List.of(layer.weightName());
  }

  @Override
  public Tensor merge(String name, Tensor stored) {
    return Arithmetic.add(stored.to(DType.F32), change(stored)).to(stored.dtype());
  }
}
