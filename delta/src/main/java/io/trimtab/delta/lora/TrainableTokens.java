package io.trimtab.delta.lora;

import io.trimtab.delta.Address;
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
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.LinearAlgebra;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Reduction;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Some rows of an embedding trained as they are, PEFT's {@code trainable_token_indices}: [tokens,
 * size], starting as the stored rows. A head that is tied to the table sees the new rows too; then
 * the whole table is put together anew for a pass, else only the rows that are looked up change.
 */
public final class TrainableTokens implements Part {
  /** Ends of the paths of input embeddings, by the names of the known architectures. */
  private static final List<String> INPUTS =
      List.of("word_embeddings", "embed_tokens", "tok_embeddings", "wte", "embed_in", "shared");

  private final Embedding layer;
  private final long[] tokens;
  private final boolean wholeTable;
  private final Parameter rows;

  private TrainableTokens(Embedding layer, long[] tokens, boolean wholeTable, Parameter rows) {
    this.layer = layer;
    this.tokens = tokens;
    this.wholeTable = wholeTable;
    this.rows = rows;
  }

  /**
   * Parts for tokens of embeddings.
   *
   * @param tokens by the end of an embedding's path, or by nothing for the input embedding, the
   *     indices to train
   * @param adapted paths of embeddings whose rows another part of the same delta changes
   * @param headWithoutBias whether a head tied to such an embedding loses its bias; see {@link
   *     Lora#headWithoutBias}
   * @throws DeltaException for an embedding that is not there, or an index outside of it
   */
  public static List<Part> parts(
      Model model,
      Map<String, List<Integer>> tokens,
      Set<String> adapted,
      boolean headWithoutBias) {
    List<Part> parts = new ArrayList<>();
    tokens.forEach(
        (name, indices) -> {
          for (Embedding layer : embeddings(model, name)) {
            List<Linear> heads = heads(model, layer);
            boolean whole = !heads.isEmpty() || adapted.contains(layer.path());
            parts.add(create(layer, indices, whole));
            for (Linear head : heads) {
              if (headWithoutBias && head.bias() != null) {
                parts.add(new BiasLeftOut(head));
              }
            }
          }
        });
    return parts;
  }

  /** Whether any head tied to an embedding with trained tokens has a bias. */
  static boolean tiedToBias(Model model, Map<String, List<Integer>> tokens) {
    return tokens.keySet().stream()
        .flatMap(name -> embeddings(model, name).stream())
        .flatMap(layer -> heads(model, layer).stream())
        .anyMatch(head -> head.bias() != null);
  }

  private static List<Linear> heads(Model model, Embedding layer) {
    List<Linear> heads = new ArrayList<>();
    for (Layer other : model.root().walk().toList()) {
      if (other instanceof Linear head && head.weightName().equals(layer.tableName())) {
        heads.add(head);
      }
    }
    return heads;
  }

  private static List<Embedding> embeddings(Model model, String name) {
    List<Embedding> found = new ArrayList<>();
    for (Layer layer : model.root().walk().toList()) {
      if (layer instanceof Embedding embedding) {
        boolean hit =
            name.isEmpty()
                ? INPUTS.stream().anyMatch(end -> Address.endsIn(layer.path(), end))
                : Address.endsIn(layer.path(), name);
        if (hit) {
          found.add(embedding);
        }
      }
    }
    if (found.isEmpty()) {
      throw new DeltaException.NoMatch(
          "found no embedding "
              + (name.isEmpty() ? String.join(", ", INPUTS) : name)
              + " in "
              + model.name()
              + " for trainable tokens, expected the end of an embedding's path; name it");
    }
    return found;
  }

  private static TrainableTokens create(
      Embedding layer, List<Integer> indices, boolean wholeTable) {
    Set<Integer> seen = new HashSet<>();
    for (int index : indices) {
      if (index < 0 || index >= layer.rows() || !seen.add(index)) {
        throw new DeltaException(
            "found trainable token "
                + index
                + " for "
                + layer.path()
                + ", expected different ones from 0 to "
                + (layer.rows() - 1));
      }
    }
    if (indices.isEmpty()) {
      throw new DeltaException(
          "found no trainable tokens for " + layer.path() + ", expected at least one; name some");
    }
    long[] tokens = indices.stream().mapToLong(Integer::longValue).toArray();
    try (Scope _ = Scope.open()) {
      Tensor at = Creation.longs(tokens, tokens.length).to(layer.table().device());
      Tensor start = Indexing.rows(layer.table(), at).to(DType.F32);
      String name = layer.path() + ".token_adapter.trainable_tokens_delta";
      return new TrainableTokens(layer, tokens, wholeTable, Parameter.of(name, start));
    }
  }

  @Override
  public Site<?> site() {
    return wholeTable ? Site.tensor(layer.tableName()) : Site.rows(layer.path());
  }

  @Override
  public Patch patch() {
    return wholeTable
        ? (Patch.Effective) (stored, pass) -> replaced(stored, rows.value())
        : (Patch.Rows) this::apply;
  }

  private Tensor apply(Tensor indices, Tensor given, Pass pass) {
    Tensor wanted = Creation.longs(tokens, 1, tokens.length).to(given.device());
    Tensor hits = Arithmetic.equal(Indexing.unsqueeze(indices, 1), wanted); // [tokens, trained]
    Tensor chosen = LinearAlgebra.matmul(hits.to(DType.F32), rows.value()).to(given.dtype());
    Tensor any = Reduction.sum(hits.to(DType.F32), 1);
    Tensor none = Arithmetic.less(any, Creation.scalar(0.5, DType.F32, given.device()));
    return Arithmetic.where(Indexing.unsqueeze(none, 1), given, chosen);
  }

  private Tensor replaced(Tensor stored, Tensor values) {
    Tensor at = Creation.longs(tokens, tokens.length).to(stored.device());
    // Adding what is missing would round; a row that is set to zero first is exact.
    Tensor keep = Creation.full(1, stored.dtype(), stored.device(), stored.size(0), 1);
    Tensor minusOnes = Creation.full(-1, stored.dtype(), stored.device(), tokens.length, 1);
    Tensor cleared = Arithmetic.multiply(stored, Indexing.addRows(keep, at, minusOnes));
    return Indexing.addRows(cleared, at, values.to(stored.dtype()));
  }

  @Override
  public List<Parameter> parameters() {
    return List.of(rows);
  }

  @Override
  public List<String> baseTensors() {
    return List.of(layer.tableName());
  }

  @Override
  public Tensor merge(String name, Tensor stored) {
    return replaced(stored, rows.value().detach());
  }
}
