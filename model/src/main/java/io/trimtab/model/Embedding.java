package io.trimtab.model;

import io.trimtab.model.weights.Weight;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/** A table of vectors, with sites for the table and for the rows it gives. */
public final class Embedding extends Layer {
  private final Weight weight;
  private final Site<Patch.Effective> tableSite;
  private final Site<Patch.Rows> rowsSite;

  /** A plain table [rows, size]. */
  public Embedding(String path, Tensor table) {
    this(path, new Weight.Dense(table));
  }

  /** A table [rows, size] in whatever form. */
  public Embedding(String path, Weight weight) {
    super(path);
    this.weight = weight;
    tableSite = Site.tensor(path + ".weight");
    rowsSite = Site.rows(path);
  }

  /** The table in the form that it is held in. */
  public Weight weight() {
    return weight;
  }

  /** The stored table [rows, size], unpacked at each call where it is not held as it is. */
  public Tensor table() {
    return weight.dense();
  }

  /** The name of the table's tensor. */
  public String tableName() {
    return tableSite.path();
  }

  /** The number of rows. */
  public int rows() {
    return (int) weight.out();
  }

  /** The size of a row. */
  public int size() {
    return (int) weight.in();
  }

  /** Indices I64 [tokens] to rows [tokens, size]. */
  public Tensor forward(Tensor indices, Pass pass) {
    if (!pass.touches(tableSite) && !pass.touches(rowsSite)) {
      return weight.rows(indices);
    }
    return pass.perSegment(
        (patches, start, inside) -> {
          Tensor at = inside.cut(indices, start);
          Patch.Effective effective = patches.at(tableSite);
          Tensor rows =
              effective == null
                  ? weight.rows(at)
                  : Indexing.rows(effective.apply(weight.dense(), inside), at);
          Patch.Rows patch = patches.at(rowsSite);
          return patch == null ? rows : patch.apply(at, rows, inside);
        });
  }

  @Override
  public SequencedMap<String, Tensor> tensors() {
    return new StoredTensors().with(tableSite.path(), weight::dense);
  }

  @Override
  public SequencedMap<String, Held> held() {
    return new LinkedHashMap<>(Map.of(tableSite.path(), Held.of(weight)));
  }

  @Override
  public List<Site<?>> sites() {
    return List.of(tableSite, rowsSite);
  }
}
