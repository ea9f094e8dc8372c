package io.trimtab.delta.tokens;

import io.trimtab.delta.Address;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.Part;
import io.trimtab.delta.Targets;
import io.trimtab.model.Embedding;
import io.trimtab.model.Layer;
import io.trimtab.model.Model;
import io.trimtab.tensor.Rng;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Settings of trainable tokens: the embeddings' rows of these numbers, [tokens, size], are trained
 * from where the base has them. A head that is tied to the table sees them.
 *
 * @param tokens the rows' numbers; empty for all
 * @param headBias whether a tied head keeps its bias, which is how the base computes it. PEFT
 *     computes such a head without, by mistake as it seems, and its files were tuned so
 * @param targets the embeddings
 */
public record TrainableTokens(List<Integer> tokens, boolean headBias, Targets targets)
    implements DeltaSpec {
  /**
   * Ours, in files whose tied head keeps its bias: PEFT knows no such field, drops it and leaves
   * the bias out.
   */
  public static final String HEAD_BIAS = "trimtab_tied_head_bias";

  private static final String SUFFIX = ".trainable_tokens_delta";

  /** Copies the list. */
  public TrainableTokens {
    tokens = List.copyOf(tokens);
  }

  /** Rows of the embedding of this path, or end of a path. */
  public static TrainableTokens of(String embedding, int... tokens) {
    return new TrainableTokens(
        IntStream.of(tokens).boxed().toList(),
        true,
        Targets.of(Address.suffixes(List.of(embedding))));
  }

  /** The same in other embeddings. */
  public TrainableTokens on(Targets where) {
    return new TrainableTokens(tokens, headBias, where);
  }

  /** The same with tied heads that lose their bias, as in PEFT. */
  public TrainableTokens droppingHeadBias() {
    return new TrainableTokens(tokens, false, targets);
  }

  /** The path of the embedding that a model's tokens go through first. */
  public static String usual(Model model) {
    return model.stacks().getFirst().embeddings().words().path();
  }

  @Override
  public DeltaMethod method() {
    return new TrainableTokensMethod();
  }

  @Override
  public List<Part> parts(Model model, Rng rng) {
    List<Embedding> embeddings = embeddings(model);
    List<Integer> chosen = chosen(embeddings);
    List<Part> parts = new ArrayList<>();
    for (Embedding embedding : embeddings) {
      parts.addAll(parts(model, embedding, chosen, SUFFIX, headBias, false));
    }
    parts.addAll(targets.saved(model).parts());
    return parts;
  }

  /**
   * Parts that train rows of one embedding, for methods that do so beside their own.
   *
   * @param tokens the rows' numbers, each once
   * @param suffix what the parameter's name has after the embedding's path, with its dot
   * @param headBias whether a tied head keeps its bias, unlike in PEFT
   * @param wholeTable whether the table is replaced even where no head is tied to it, since another
   *     part changes the rows that are looked up
   * @throws DeltaException for a number that the table has no row for, or one that comes twice
   */
  public static List<Part> parts(
      Model model,
      Embedding embedding,
      List<Integer> tokens,
      String suffix,
      boolean headBias,
      boolean wholeTable) {
    List<Part> parts = new ArrayList<>();
    parts.add(TokenRows.create(model, embedding, tokens, suffix, wholeTable));
    if (!headBias) {
      TokenRows.tiedHeads(model, embedding).stream()
          .filter(head -> head.bias() != null)
          .map(DroppedBias::new)
          .forEach(parts::add);
    }
    return parts;
  }

  /** Whether a head that is tied to an embedding has a bias. */
  public static boolean isTiedToBias(Model model, Embedding embedding) {
    return TokenRows.tiedHeads(model, embedding).stream().anyMatch(head -> head.bias() != null);
  }

  private List<Embedding> embeddings(Model model) {
    List<Embedding> embeddings = new ArrayList<>();
    for (Layer layer : targets.layers(model)) {
      if (!(layer instanceof Embedding embedding)) {
        throw new DeltaException.Unsupported(
            "found "
                + layer.path()
                + " as a target of trainable tokens, expected embeddings, such as "
                + usual(model));
      }
      embeddings.add(embedding);
    }
    return embeddings;
  }

  /** Files hold one list for all embeddings, so that "all" must mean the same for each. */
  private List<Integer> chosen(List<Embedding> embeddings) {
    if (!tokens.isEmpty() || embeddings.isEmpty()) {
      return tokens;
    }
    if (embeddings.stream().mapToInt(Embedding::rows).distinct().count() > 1) {
      throw new DeltaException(
          "found embeddings of different sizes to train all rows of ("
              + String.join(", ", embeddings.stream().map(Layer::path).toList())
              + "), expected one size; name the tokens");
    }
    return IntStream.range(0, embeddings.getFirst().rows()).boxed().toList();
  }

  @Override
  public Map<String, Object> toConfig(Model model) {
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("token_indices", chosen(embeddings(model)));
    config.put("init_weights", true);
    if (headBias && embeddings(model).stream().anyMatch(each -> isTiedToBias(model, each))) {
      config.put(HEAD_BIAS, true);
    }
    targets.write(model, config);
    return config;
  }
}
