package io.trimtab.delta.reft;

import io.trimtab.delta.DeltaException;
import io.trimtab.delta.Part;
import io.trimtab.model.Block;
import io.trimtab.model.Pass;
import io.trimtab.model.Patch;
import io.trimtab.model.Site;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The interventions on what one block gives, at the first and at the last tokens of every row. */
final class ReftPart implements Part {
  private final Block block;
  private final Set<Integer> numbers;
  private final int prefix;
  private final int suffix;
  private final List<ReftUnit> units;
  private final List<String> baseTensors;

  /**
   * Interventions.
   *
   * @param numbers the numbers of the blocks that have them, of those that share their weights
   * @param units one for first and last tokens together, or one for each
   */
  ReftPart(
      Block block,
      Set<Integer> numbers,
      int prefix,
      int suffix,
      List<ReftUnit> units,
      List<String> baseTensors) {
    this.block = block;
    this.numbers = Set.copyOf(numbers);
    this.prefix = prefix;
    this.suffix = suffix;
    this.units = List.copyOf(units);
    this.baseTensors = List.copyOf(baseTensors);
  }

  @Override
  public Site<?> site() {
    return Site.output(block.path());
  }

  @Override
  public Patch patch() {
    return new AtEnds();
  }

  private final class AtEnds implements Patch.Output {
    @Override
    public Tensor apply(Tensor input, Tensor output, Pass pass) {
      return ReftPart.this.apply(output, pass);
    }

    /** A row's last tokens are others once more have come. */
    @Override
    public boolean changesAsRowsGrow() {
      return suffix > 0;
    }
  }

  private Tensor apply(Tensor output, Pass pass) {
    if (!numbers.contains(pass.block())) {
      return output;
    }
    List<Long> first = new ArrayList<>();
    List<Long> last = new ArrayList<>();
    for (int row = 0; row < pass.layout().rows(); row++) {
      int length = pass.rowLength(row);
      int[] positions = pass.positions(row);
      for (int i = 0; i < positions.length; i++) {
        long token = (long) pass.layout().start(row) + i;
        // In a row that is too short for both, the last tokens' intervention counts.
        if (positions[i] >= length - suffix) {
          last.add(token);
        } else if (positions[i] < prefix) {
          first.add(token);
        }
      }
    }
    if (units.size() == 1) {
      first.addAll(last);
      return changed(output, output, first, units.get(0), pass);
    }
    Tensor begun = changed(output, output, first, units.get(0), pass);
    return changed(begun, output, last, units.get(1), pass);
  }

  private static Tensor changed(
      Tensor to, Tensor output, List<Long> tokens, ReftUnit unit, Pass pass) {
    if (tokens.isEmpty()) {
      return to;
    }
    long[] numbers = tokens.stream().mapToLong(Long::longValue).toArray();
    Tensor indices = Creation.longs(numbers, numbers.length).to(output.device());
    @Nullable Rng training = pass.training().orElse(null);
    Tensor change = unit.change(Indexing.select(output, 0, indices), training);
    return Indexing.addRows(to, indices, change);
  }

  @Override
  public List<Parameter> parameters() {
    return units.stream().flatMap(unit -> unit.parameters().stream()).toList();
  }

  @Override
  public List<Parameter> constants() {
    return units.stream().flatMap(unit -> unit.constants().stream()).toList();
  }

  @Override
  public List<String> baseTensors() {
    return baseTensors;
  }

  @Override
  public Tensor merge(String name, Tensor stored) {
    throw new DeltaException.Unsupported(
        "found interventions of ReFT, expected a delta that changes weights: what is done at some"
            + " tokens alone cannot be merged into any; use the delta beside the model");
  }
}
