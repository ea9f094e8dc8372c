package io.trimtab.delta.prefix;

import io.trimtab.delta.Part;
import io.trimtab.model.Embedding;
import io.trimtab.model.Patch;
import io.trimtab.model.Site;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Tensor;
import java.util.List;

/**
 * Takes relative positions from a stack's blocks but its first ones: a prefix of OpenDelta drops
 * what a block of T5 hands on to the next of them, and the checkpoints are trained with that.
 */
final class UntoldPositions implements Part {
  private final Embedding table;
  private final int from;

  /** Of a table of relative positions, for blocks from a number on. */
  UntoldPositions(Embedding table, int from) {
    this.table = table;
    this.from = from;
  }

  @Override
  public Site<?> site() {
    return Site.rows(table.path());
  }

  @Override
  public Patch patch() {
    return (Patch.Rows)
        (indices, rows, pass) -> pass.block() < from ? rows : Arithmetic.multiply(rows, 0);
  }

  @Override
  public List<Parameter> parameters() {
    return List.of();
  }

  @Override
  public List<String> baseTensors() {
    return List.of(table.tableName());
  }

  @Override
  public Tensor merge(String name, Tensor stored) {
    throw PrefixPart.cannotMerge();
  }
}
