package io.trimtab.delta.tokens;

import io.trimtab.delta.DeltaException;
import io.trimtab.delta.Part;
import io.trimtab.model.Embedding;
import io.trimtab.model.Layer;
import io.trimtab.model.Linear;
import io.trimtab.model.Model;
import io.trimtab.model.Pass;
import io.trimtab.model.Patch;
import io.trimtab.model.Site;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Some rows of an embedding replaced by trained ones, [tokens, size], that start as the base has
 * them. A head tied to the table sees them too, as in PEFT: there the table is replaced for the
 * pass; where no head is tied only the rows that a batch has are.
 */
final class TokenRows implements Part {
  private final Embedding layer;
  private final Parameter rows;
  private final long[] tokens;
  private final Map<String, String> aliases;
  private final boolean inTable;

  /** For every row of the table its place among the trained ones, or their count for none. */
  private final int[] places;

  private TokenRows(
      Embedding layer,
      Parameter rows,
      long[] tokens,
      int[] places,
      Map<String, String> aliases,
      boolean inTable) {
    this.layer = layer;
    this.rows = rows;
    this.tokens = tokens;
    this.places = places;
    this.aliases = aliases;
    this.inTable = inTable;
  }

  /**
   * A part that trains rows of a table.
   *
   * @param tokens their numbers, each once
   * @param suffix what the parameter's name has after the layer's path, with its dot
   * @param wholeTable whether the table is replaced even where no head is tied to it
   * @throws DeltaException for a number that the table has no row for, or one that comes twice
   */
  static TokenRows create(
      Model model, Embedding layer, List<Integer> tokens, String suffix, boolean wholeTable) {
    check(layer, tokens);
    Device device = layer.weight().device();
    long[] chosen = tokens.stream().mapToLong(Integer::longValue).toArray();
    int[] places = new int[layer.rows()];
    Arrays.fill(places, chosen.length);
    for (int i = 0; i < chosen.length; i++) {
      places[(int) chosen[i]] = i;
    }
    Map<String, String> aliases = new LinkedHashMap<>();
    String name = layer.path() + suffix;
    tiedHeads(model, layer).forEach(head -> aliases.put(head.path() + suffix, name));
    try (Scope _ = Scope.open()) {
      Tensor start = layer.weight().rows(Creation.longs(chosen, chosen.length).to(device));
      return new TokenRows(
          layer,
          Parameter.of(name, start.to(DType.F32)),
          chosen,
          places,
          aliases,
          wholeTable || !aliases.isEmpty());
    }
  }

  /** The linear layers that use an embedding's table as their weight. */
  static List<Linear> tiedHeads(Model model, Embedding layer) {
    List<Linear> heads = new ArrayList<>();
    for (Layer other : model.root().walk().toList()) {
      if (other instanceof Linear linear && linear.weightName().equals(layer.tableName())) {
        heads.add(linear);
      }
    }
    return heads;
  }

  private static void check(Embedding layer, List<Integer> tokens) {
    if (tokens.isEmpty()) {
      throw new DeltaException(
          "found no tokens to train in " + layer.path() + ", expected at least one number");
    }
    boolean[] seen = new boolean[layer.rows()];
    for (int token : tokens) {
      if (token < 0 || token >= layer.rows()) {
        throw new DeltaException(
            "found token "
                + token
                + " to train in "
                + layer.path()
                + ", expected one of its rows, 0 to "
                + (layer.rows() - 1));
      }
      if (seen[token]) {
        throw new DeltaException(
            "found token " + token + " to train twice in " + layer.path() + "; name it once");
      }
      seen[token] = true;
    }
  }

  @Override
  public Site<?> site() {
    return inTable ? Site.tensor(layer.tableName()) : Site.rows(layer.path());
  }

  @Override
  public Patch patch() {
    return inTable
        ? (Patch.Effective) (stored, pass) -> replaced(stored)
        : (Patch.Rows) this::replaced;
  }

  /** A table with the trained rows in their places. */
  private Tensor replaced(Tensor stored) {
    Tensor at = Creation.longs(tokens, tokens.length).to(stored.device());
    // One copy of the table: what is trained minus what is there is added.
    Tensor change =
        Arithmetic.subtract(rows.value().to(stored.dtype()), Indexing.select(stored, 0, at));
    return Indexing.addRows(stored, at, change);
  }

  private Tensor replaced(Tensor indices, Tensor given, Pass pass) {
    long[] own = Arrays.stream(indices.toLongs()).map(index -> places[(int) index]).toArray();
    if (Arrays.stream(own).allMatch(place -> place == tokens.length)) {
      return given;
    }
    Tensor at = Creation.longs(own, own.length).to(given.device());
    Tensor none = Arithmetic.equal(at, scalar(tokens.length, at));
    Tensor padded =
        Indexing.concat(
            List.of(rows.value(), Creation.zeros(DType.F32, given.device(), 1, layer.size())), 0);
    return Arithmetic.where(
        none.reshape(-1, 1), given, Indexing.rows(padded, at).to(given.dtype()));
  }

  private static Tensor scalar(long value, Tensor like) {
    return Creation.longs(new long[] {value}, 1).to(like.device());
  }

  @Override
  public List<Parameter> parameters() {
    return List.of(rows);
  }

  /** A tied head's rows are the same parameter, which PEFT stores once more. */
  @Override
  public Map<String, String> aliases() {
    return aliases;
  }

  @Override
  public List<String> baseTensors() {
    return List.of(layer.tableName());
  }

  @Override
  public Tensor merge(String name, Tensor stored) {
    // Exactly the trained rows: cut out of the table and the rows one after the other.
    Tensor both = Indexing.concat(List.of(rows.value().detach().to(stored.dtype()), stored), 0);
    long[] from = new long[layer.rows()];
    for (int i = 0; i < from.length; i++) {
      from[i] = (long) tokens.length + i;
    }
    for (int i = 0; i < tokens.length; i++) {
      from[(int) tokens[i]] = i;
    }
    return Indexing.select(both, 0, Creation.longs(from, from.length).to(stored.device()));
  }
}
