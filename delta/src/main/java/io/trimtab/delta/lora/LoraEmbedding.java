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
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * LoRA on an embedding: row i gets s B A[:, i] added, and with {@link Dora} magnitudes, one for
 * each column of the table, is rescaled. A head tied to the table does not see it, as in PEFT.
 */
final class LoraEmbedding implements Part {
  private final Embedding layer;
  private final Parameter down;
  private final Parameter up;
  private final @Nullable Dora dora;
  private final double scale;

  private LoraEmbedding(
      Embedding layer, Parameter down, Parameter up, @Nullable Dora dora, double scale) {
    this.layer = layer;
    this.down = down;
    this.up = up;
    this.dora = dora;
    this.scale = scale;
  }

  /** A [rank, rows] zero, B [size, rank] standard normal: the start of the authors' code. */
  static LoraEmbedding create(Embedding layer, int rank, double scale, boolean dora, Rng rng) {
    Device device = layer.weight().device();
    try (Scope _ = Scope.open()) {
      Tensor zero = Creation.zeros(DType.F32, device, rank, layer.rows());
      Tensor start = rng.normal(1, DType.F32, device, layer.size(), rank);
      Dora magnitudes = dora ? Dora.of(layer.path(), layer.table().transpose(0, 1)) : null;
      return new LoraEmbedding(
          layer,
          Parameter.of(layer.path() + ".lora_embedding_A", zero),
          Parameter.of(layer.path() + ".lora_embedding_B", start),
          magnitudes,
          scale);
    }
  }

  Embedding layer() {
    return layer;
  }

  LoraScaling.Sized sized() {
    return new LoraScaling.Sized((int) down.value().size(0), scale);
  }

  boolean hasMagnitudes() {
    return dora != null;
  }

  LoraStart.Factors factors() {
    return new LoraStart.Factors(down.value(), up.value());
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
    if (dora == null) {
      return Arithmetic.addScaled(rows, product.to(rows.dtype()), scale);
    }
    Tensor factor = factor();
    Tensor lora = Arithmetic.multiply(product, scale).to(rows.dtype());
    return Dora.rescaled(rows, rows, lora, factor);
  }

  private Tensor factor() {
    Tensor columns = layer.table().transpose(0, 1);
    return Objects.requireNonNull(dora).factor(columns, down.value(), up.value(), scale);
  }

  @Override
  public List<Parameter> parameters() {
    return dora == null ? List.of(down, up) : List.of(down, up, dora.magnitude());
  }

  @Override
  public List<String> baseTensors() {
    return List.of(layer.tableName());
  }

  @Override
  public Tensor merge(String name, Tensor stored) {
    Tensor product = LinearAlgebra.matmul(up.value(), down.value()).transpose(0, 1);
    Tensor changed = Arithmetic.addScaled(stored.to(DType.F32), product, scale);
    if (dora != null) {
      Tensor factor = factor().to(DType.F32);
      changed = Arithmetic.multiply(changed, Indexing.unsqueeze(factor, 0));
    }
    return changed.to(stored.dtype());
  }
}
