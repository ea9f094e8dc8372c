package io.trimtab.delta.lora;

import io.trimtab.delta.Part;
import io.trimtab.model.Embedding;
import io.trimtab.model.Pass;
import io.trimtab.model.Patch;
import io.trimtab.model.Site;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.LinearAlgebra;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.util.List;

/**
 * LoRA on an embedding: row i gets s B A[:, i] added. A head tied to the table does not see it, as
 * in PEFT.
 */
final class LoraEmbedding implements Part {
  private final Embedding layer;
  private final Parameter down;
  private final Parameter up;
  private final double scale;

  private LoraEmbedding(Embedding layer, Parameter down, Parameter up, double scale) {
    this.layer = layer;
    this.down = down;
    this.up = up;
    this.scale = scale;
  }

  /** A [rank, rows] zero, B [size, rank] standard normal: the start of the authors' code. */
  static LoraEmbedding create(Embedding layer, int rank, double scale, Rng rng) {
    Device device = layer.table().device();
    String path = layer.path();
    try (Scope _ = Scope.open()) {
      Tensor zero = Creation.zeros(DType.F32, device, rank, layer.rows());
      Tensor start = rng.normal(1, DType.F32, device, layer.size(), rank);
      return new LoraEmbedding(
          layer,
          Parameter.of(path + ".lora_embedding_A", zero),
          Parameter.of(path + ".lora_embedding_B", start),
          scale);
    }
  }

  @Override
  public Site<?> site() {
    return Site.rows(layer.path());
  }

  @Override
  public Patch patch() {
    return (Patch.Rows) this::apply;
  }

  private Tensor apply(Tensor indices, Tensor rows, Pass pass) {
    Tensor inner = Indexing.rows(down.value().transpose(0, 1), indices);
    Tensor product = LinearAlgebra.linear(inner, up.value(), null);
    return Arithmetic.addScaled(rows, product.to(rows.dtype()), scale);
  }

  @Override
  public List<Parameter> parameters() {
    return List.of(down, up);
  }

  @Override
  public List<String> baseTensors() {
    return List.of(layer.tableName());
  }

  @Override
  public Tensor merge(String name, Tensor stored) {
    Tensor product = LinearAlgebra.matmul(up.value(), down.value()).transpose(0, 1);
    return Arithmetic.addScaled(stored.to(DType.F32), product, scale).to(stored.dtype());
  }
}
