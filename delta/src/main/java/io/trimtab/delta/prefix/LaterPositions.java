package io.trimtab.delta.prefix;

import io.trimtab.delta.Part;
import io.trimtab.model.Embedding;
import io.trimtab.model.ModelException;
import io.trimtab.model.Patch;
import io.trimtab.model.Site;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Reduction;
import io.trimtab.tensor.Tensor;
import java.util.List;

/**
 * Moves tokens to later positions, as if those of the prefix stood before them: where a model has a
 * table of positions, PEFT hands it the prefix as a cache of earlier tokens.
 */
final class LaterPositions implements Part {
  private final Embedding positions;
  private final int by;

  LaterPositions(Embedding positions, int by) {
    this.positions = positions;
    this.by = by;
  }

  @Override
  public Site<?> site() {
    return Site.rows(positions.path());
  }

  /** It looks up rows of its own. */
  @Override
  public boolean buildsOnOthers() {
    return false;
  }

  @Override
  public Patch patch() {
    return (Patch.Rows) (indices, rows, pass) -> moved(indices);
  }

  private Tensor moved(Tensor indices) {
    double last = Reduction.max(indices).item() + by;
    if (last >= positions.rows()) {
      throw new ModelException(
          "found a token at position "
              + (long) last
              + " after a prefix of "
              + by
              + ", expected less than the "
              + positions.rows()
              + " positions of this model; truncate the text further");
    }
    Tensor shift = Creation.longs(new long[] {by}, 1).to(indices.device());
    return Indexing.rows(positions.table(), Arithmetic.add(indices, shift));
  }

  @Override
  public List<Parameter> parameters() {
    return List.of();
  }

  @Override
  public List<String> baseTensors() {
    return List.of(positions.tableName());
  }

  @Override
  public Tensor merge(String name, Tensor stored) {
    throw PrefixPart.cannotMerge();
  }
}
