package io.trimtab.delta.prefix;

import io.trimtab.delta.DeltaException;
import io.trimtab.delta.Gate;
import io.trimtab.delta.Part;
import io.trimtab.model.Pass;
import io.trimtab.model.Patch;
import io.trimtab.model.Site;
import io.trimtab.model.Sublayer;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Neural;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Tensor;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The prefix of one attention, which several blocks share where they share their weights. */
final class PrefixPart implements Part {
  private final Sublayer attention;
  private final PrefixTable table;
  private final Map<Integer, Integer> places;
  private final @Nullable Gate gate;
  private final double dropout;
  private final int shift;
  private final List<String> baseTensors;

  /**
   * A prefix.
   *
   * @param places for each block that uses the attention, where in the table its prefix is
   * @param gate what it is multiplied by, row by row, or null
   * @param dropout of its keys and values in training
   * @param shift by how many positions the tokens stand later where positions are rotated
   * @param baseTensors the weights that make keys and values of tokens
   */
  PrefixPart(
      Sublayer attention,
      PrefixTable table,
      Map<Integer, Integer> places,
      @Nullable Gate gate,
      double dropout,
      int shift,
      List<String> baseTensors) {
    this.attention = attention;
    this.table = table;
    this.places = Map.copyOf(places);
    this.gate = gate;
    this.dropout = dropout;
    this.shift = shift;
    this.baseTensors = List.copyOf(baseTensors);
  }

  PrefixTable table() {
    return table;
  }

  @Override
  public Site<?> site() {
    return Site.keysAndValues(attention.path());
  }

  @Override
  public Patch patch() {
    return new Before();
  }

  private final class Before implements Patch.KeysAndValues {
    @Override
    public Prefix apply(Tensor hidden, Pass pass) {
      int place = java.util.Objects.requireNonNull(places.get(pass.block()));
      Tensor keys = rows(table.part(place, false).to(hidden.dtype()), pass);
      Tensor values = rows(table.part(place, true).to(hidden.dtype()), pass);
      if (gate == null) {
        return new Prefix(keys, values);
      }
      Tensor open = Indexing.unsqueeze(gate.perRow(hidden, pass.layout()), 2); // [rows, gates, 1]
      long last = open.size(1) - 1;
      return new Prefix(
          Arithmetic.multiply(keys, Indexing.slice(open, 1, 0, 1)),
          Arithmetic.multiply(values, Indexing.slice(open, 1, last, 1)));
    }

    @Override
    public boolean readsWholeRows() {
      return gate != null;
    }

    @Override
    public int shift() {
      return shift;
    }
  }

  /** [length, size] to [1, length, size], or where numbers are dropped one for every row. */
  private Tensor rows(Tensor one, Pass pass) {
    Tensor same = Indexing.unsqueeze(one, 0);
    Optional<Rng> training = pass.training();
    if (dropout == 0 || training.isEmpty()) {
      return same;
    }
    Tensor each = Indexing.expand(same, pass.layout().rows(), one.size(0), one.size(1));
    return Neural.dropout(each, dropout, training.get());
  }

  @Override
  public List<Parameter> parameters() {
    return gate == null
        ? table.parameters()
        : Stream.concat(table.parameters().stream(), gate.parameters().stream()).toList();
  }

  @Override
  public List<String> baseTensors() {
    return baseTensors;
  }

  @Override
  public Tensor merge(String name, Tensor stored) {
    throw cannotMerge();
  }

  static DeltaException cannotMerge() {
    return new DeltaException.Unsupported(
        "found a prefix, expected a delta that changes weights: keys and values that are put in"
            + " cannot be merged into any; use the delta beside the model");
  }
}
