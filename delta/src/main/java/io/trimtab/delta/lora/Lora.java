package io.trimtab.delta.lora;

import io.trimtab.delta.Address;
import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.Part;
import io.trimtab.delta.RankPatterns;
import io.trimtab.delta.SavedModules;
import io.trimtab.delta.Targets;
import io.trimtab.delta.TrainingRule;
import io.trimtab.model.Embedding;
import io.trimtab.model.Layer;
import io.trimtab.model.Linear;
import io.trimtab.model.Model;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Rng;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Settings of LoRA (Hu et al., 2021, section 4.1): W x + s B A x, A [rank, in] random, B [out,
 * rank] zero at the start, s = alpha / rank.
 *
 * @param scaling ranks and scales
 * @param targets the linear layers and embeddings it goes on, and modules trained as a whole
 * @param dropout the probability that an input of A is dropped in training; not on embeddings
 * @param bias which stored biases are trained along
 * @param outputBias whether B has a bias of its own
 * @param dora whether rows of W + s B A are rescaled to trained magnitudes
 * @param gated whether each row has a trained {@linkplain io.trimtab.delta.Gate gate} over the
 *     layer's input in the place of the scale s, as in UniPELT (Mao et al., 2022, section 2.3); not
 *     on embeddings
 * @param start where A and B start on linear layers; on embeddings A starts at zero, B random
 * @param trained which of A and B are trained on linear layers
 * @param rateRatio what the learning rate of B is multiplied by (LoRA+; Hayou et al., 2024)
 * @param tokens rows of embeddings that are trained along, by the end of the embedding's path, or
 *     by nothing for the input embedding
 * @param headWithoutBias whether a head that is tied to an embedding with trained tokens loses its
 *     bias. PEFT computes it so, by mistake as it seems, and its files were tuned so; what is tuned
 *     here keeps the bias, and a field {@code trimtab_tied_head_bias} in its file says so
 * @param fusedParts of a fused layer of queries, keys and values the parts it goes on, of {@code
 *     q}, {@code k} and {@code v}; empty for whole layers
 */
public record Lora(
    LoraScaling scaling,
    Targets targets,
    double dropout,
    Bias bias,
    boolean outputBias,
    boolean dora,
    boolean gated,
    LoraStart start,
    Trained trained,
    double rateRatio,
    Map<String, List<Integer>> tokens,
    boolean headWithoutBias,
    List<String> fusedParts)
    implements DeltaSpec {

  /** Which stored biases are trained along with the matrices. */
  public enum Bias {
    NONE,
    ALL,
    LORA_ONLY
  }

  /** Which matrices are trained. */
  public enum Trained {
    /** Both. */
    BOTH,
    /** A alone, for MiCA. */
    A,
    /** B alone: LoRA-FA (Zhang et al., "LoRA-FA: Memory-efficient Low-rank Adaptation", 2023). */
    B
  }

  /** Checks ranges. */
  public Lora {
    if (!(dropout >= 0 && dropout < 1)) {
      throw new DeltaException("found dropout " + dropout + ", expected 0 to below 1");
    }
    if (!(rateRatio > 0) || Double.isInfinite(rateRatio)) {
      throw new DeltaException(
          "found a ratio of learning rates of "
              + rateRatio
              + ", expected more than 0; 16 is usual");
    }
    if (dora && outputBias) {
      throw new DeltaException.Unsupported(
          "found DoRA with a bias of LoRA's own, expected one of them: whether the bias is rescaled"
              + " is not defined; leave lora_bias out");
    }
    if (gated && (dora || outputBias)) {
      throw new DeltaException.Unsupported(
          "found gated LoRA with magnitudes or a bias of its own, expected neither: UniPELT has no"
              + " such gates; leave use_gating or the other out");
    }
    for (String part : fusedParts) {
      if (!FusedLayer.PARTS.contains(part)) {
        throw new DeltaException("found part \"" + part + "\" for LoRA, expected q, k or v");
      }
    }
    Map<String, List<Integer>> copied = new LinkedHashMap<>();
    tokens.forEach((name, indices) -> copied.put(name, List.copyOf(indices)));
    tokens = Collections.unmodifiableMap(copied);
    fusedParts = List.copyOf(fusedParts);
  }

  /** LoRA of the given rank with alpha twice as large, no dropout, on query and value. */
  public static Lora rank(int rank) {
    return new Lora(
        LoraScaling.of(rank),
        Targets.of(Address.suffixes(List.of("query", "value"))),
        0,
        Bias.NONE,
        false,
        false,
        false,
        Starts.KAIMING,
        Trained.BOTH,
        1,
        Map.of(),
        false,
        List.of());
  }

  /** The same with another alpha. */
  public Lora alpha(double value) {
    return with(draft -> draft.scaling = scaling.withAlpha(value));
  }

  /** The same with the scale alpha / √rank: rsLoRA. */
  public Lora rankStabilised(boolean value) {
    return with(draft -> draft.scaling = scaling.withStabilised(value));
  }

  /** The same with other ranks and alphas at some layers; see {@link RankPatterns}. */
  public Lora patterns(Map<String, Integer> ranks, Map<String, Double> alphas) {
    return with(draft -> draft.scaling = scaling.with(new RankPatterns(ranks, alphas)));
  }

  /** The same with dropout before A. */
  public Lora dropout(double probability) {
    return with(draft -> draft.dropout = probability);
  }

  /** The same on the layers of these suffixes. */
  public Lora on(String... suffixes) {
    return on(Address.suffixes(List.of(suffixes)));
  }

  /** The same on the layers of an address. */
  public Lora on(Address address) {
    return on(new Targets(address, targets.modulesToSave(), targets.lenient()));
  }

  /** The same on other targets. */
  public Lora on(Targets where) {
    return with(draft -> draft.targets = where);
  }

  /** The same with stored biases trained along. */
  public Lora bias(Bias which) {
    return with(draft -> draft.bias = which);
  }

  /** The same with a bias of B's own. */
  public Lora outputBias(boolean value) {
    return with(draft -> draft.outputBias = value);
  }

  /** The same with whole layers trained along. */
  public Lora saving(String... modules) {
    return on(targets.saving(modules));
  }

  /** The same with trained magnitudes: DoRA. */
  public Lora dora(boolean value) {
    return with(draft -> draft.dora = value);
  }

  /** The same with a gate. */
  public Lora gated(boolean value) {
    return with(draft -> draft.gated = value);
  }

  /** The same from another start. */
  public Lora start(LoraStart from) {
    return with(draft -> draft.start = from);
  }

  /** The same with one of the matrices left as it starts. */
  public Lora training(Trained which) {
    return with(draft -> draft.trained = which);
  }

  /** The same with B's learning rate this many times A's: LoRA+, 16 as its paper advises. */
  public Lora plus(double ratio) {
    return with(draft -> draft.rateRatio = ratio);
  }

  /** The same with some rows of the input embedding trained along. */
  public Lora tokens(List<Integer> indices) {
    return tokens(Map.of("", indices));
  }

  /** The same with some rows of embeddings trained along, by the ends of their paths. */
  public Lora tokens(Map<String, List<Integer>> indices) {
    return with(draft -> draft.tokens = indices);
  }

  /** The same with the bias of a head tied to trained tokens left out, as in PEFT. */
  public Lora headWithoutBias(boolean value) {
    return with(draft -> draft.headWithoutBias = value);
  }

  /** The same on parts of fused layers only, of {@code q}, {@code k} and {@code v}. */
  public Lora onParts(String... names) {
    return with(draft -> draft.fusedParts = List.of(names));
  }

  Lora scaled(LoraScaling other) {
    return with(draft -> draft.scaling = other);
  }

  private Lora with(Consumer<Draft> change) {
    Draft draft = new Draft(this);
    change.accept(draft);
    return draft.lora();
  }

  /** What is to become a copy with one thing changed. */
  private static final class Draft {
    private LoraScaling scaling;
    private Targets targets;
    private double dropout;
    private Bias bias;
    private boolean outputBias;
    private boolean dora;
    private boolean gated;
    private LoraStart start;
    private Trained trained;
    private double rateRatio;
    private Map<String, List<Integer>> tokens;
    private boolean headWithoutBias;
    private List<String> fusedParts;

    Draft(Lora from) {
      scaling = from.scaling;
      targets = from.targets;
      dropout = from.dropout;
      bias = from.bias;
      outputBias = from.outputBias;
      dora = from.dora;
      gated = from.gated;
      start = from.start;
      trained = from.trained;
      rateRatio = from.rateRatio;
      tokens = from.tokens;
      headWithoutBias = from.headWithoutBias;
      fusedParts = from.fusedParts;
    }

    Lora lora() {
      return new Lora(
          scaling,
          targets,
          dropout,
          bias,
          outputBias,
          dora,
          gated,
          start,
          trained,
          rateRatio,
          tokens,
          headWithoutBias,
          fusedParts);
    }
  }

  @Override
  public DeltaMethod method() {
    return new LoraMethod();
  }

  @Override
  public List<Part> parts(Model model, Rng rng) {
    SavedModules saved = targets.saved(model);
    LoraLinear.Settings settings =
        new LoraLinear.Settings(
            start, dropout, outputBias, dora, gated, bias != Bias.NONE, trained);
    Set<String> adapted = new LinkedHashSet<>();
    List<Part> made = new ArrayList<>();
    for (Layer layer : targets.layers(model)) {
      adapted.add(layer.path());
      int r = scaling.rank(layer.path());
      double scale = gated ? 1 : scaling.scale(layer.path());
      made.add(
          switch (layer) {
            case Linear linear ->
                LoraLinear.create(linear, rows(linear, model), r, scale, settings, rng);
            case Embedding embedding -> embedding(embedding, r, scale, rng);
            default -> throw new IllegalStateException("addresses hit nothing else: " + layer);
          });
    }
    made.addAll(AdaptedBiases.parts(model, bias, adapted, saved));
    made.addAll(LoraTokens.parts(model, tokens, adapted, headWithoutBias));
    made.addAll(saved.parts());
    return made;
  }

  private List<FusedLayer.Rows> rows(Linear layer, Model model) {
    return fusedParts.isEmpty()
        ? List.of(FusedLayer.Rows.all(layer))
        : FusedLayer.rows(layer, model, fusedParts);
  }

  private Part embedding(Embedding layer, int r, double scale, Rng rng) {
    if (outputBias || gated || !fusedParts.isEmpty()) {
      throw new DeltaException.Unsupported(
          "found the embedding "
              + layer.path()
              + " as a target of LoRA "
              + (outputBias
                  ? "with a bias of its own"
                  : gated ? "with a gate" : "on parts " + fusedParts)
              + ", expected linear layers; leave it out");
    }
    return LoraEmbedding.create(layer, r, scale, dora, rng);
  }

  /** One of our own where PEFT has no such LoRA. */
  @Override
  public String peftType() {
    return gated ? LoraMethod.GATED : method().peftType();
  }

  @Override
  public double rateFactor(Parameter parameter) {
    return parameter.name().contains(".lora_B.") ? rateRatio : 1;
  }

  @Override
  public TrainingRule rule(Delta delta) {
    return LoraRule.of(delta.parts());
  }

  @Override
  public Delta toStore(Delta delta) {
    return PlainLora.of(this, delta);
  }

  @Override
  public Map<String, Object> toConfig(Model model) {
    return LoraConfig.write(this, model);
  }
}
