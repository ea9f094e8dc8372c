package io.trimtab.model;

import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Tensor;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/** A table of vectors, with sites for the table and for the rows it gives. */
public final class Embedding extends Layer {
  private final Tensor table;
  private final Site<Patch.Effective> tableSite;
  private final Site<Patch.Rows> rowsSite;

  /** A table [rows, size]. */
  public Embedding(String path, Tensor table) {
    super(path);
    this.table = table;
    tableSite = Site.tensor(path + ".weight");
    rowsSite = Site.rows(path);
  }

  /** The stored table [rows, size]. */
  public Tensor table() {
    return table;
  }

  /** The name of the table's tensor. */
  public String tableName() {
    return tableSite.path();
  }

  /** The number of rows. */
  public int rows() {
    return (int) table.size(0);
  }

  /** The size of a row. */
  public int size() {
    return (int) table.size(1);
  }

  /** Indices I64 [tokens] to rows [tokens, size]. */
  public Tensor forward(Tensor indices, Pass pass) {
    if (!pass.touches(tableSite) && !pass.touches(rowsSite)) {
      return Indexing.rows(table, indices);
    }
    return pass.perSegment(
        (patches, start, inside) -> {
          Tensor at = inside.cut(indices, start);
          Patch.Effective effective = patches.at(tableSite);
          Tensor rows =
              Indexing.rows(effective == null ? table : effective.apply(table, inside), at);
          Patch.Rows patch = patches.at(rowsSite);
          return patch == null ? rows : patch.apply(at, rows, inside);
        });
  }

  @Override
  public SequencedMap<String, Tensor> tensors() {
    return Collections.unmodifiableSequencedMap(
        new LinkedHashMap<>(Map.of(tableSite.path(), table)));
  }

  @Override
  public List<Site<?>> sites() {
    return List.of(tableSite, rowsSite);
  }
}
