package io.trimtab.delta.lora;

import io.trimtab.delta.Address;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.Part;
import io.trimtab.delta.PeftTargets;
import io.trimtab.delta.ReplacedTensor;
import io.trimtab.delta.SavedModules;
import io.trimtab.model.Embedding;
import io.trimtab.model.Layer;
import io.trimtab.model.Linear;
import io.trimtab.model.Model;
import io.trimtab.tensor.Rng;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Settings of LoRA (Hu et al., 2021, section 4.1): W x + s B A x, A [rank, in] random, B [out,
 * rank] zero at the start, s = alpha / rank, or alpha / √rank as rsLoRA has it (Kalajdzievski,
 * 2023).
 *
 * @param rank the inner size r
 * @param alpha the numerator of the scale
 * @param dropout the probability that an input of A is dropped in training
 * @param rankStabilised whether the scale is alpha / √rank
 * @param targets the linear layers and embeddings it goes on
 * @param bias which stored biases are trained along
 * @param outputBias whether B has a bias of its own
 * @param modulesToSave layers, such as a new classifier, that are trained as a whole
 * @param ranks other ranks for layers whose path ends in a match of a key
 * @param alphas other alphas for layers whose path ends in a match of a key
 * @param lenient whether target names that hit nothing are let pass, as in files of PEFT
 */
public record Lora(
    int rank,
    double alpha,
    double dropout,
    boolean rankStabilised,
    Address targets,
    Bias bias,
    boolean outputBias,
    List<String> modulesToSave,
    Map<String, Integer> ranks,
    Map<String, Double> alphas,
    boolean lenient)
    implements DeltaSpec {

  /** Which stored biases are trained along with the matrices. */
  public enum Bias {
    NONE,
    ALL,
    LORA_ONLY
  }

  /** Checks ranges. */
  public Lora {
    if (rank < 1) {
      throw new DeltaException("found rank " + rank + ", expected at least 1; 8 is usual");
    }
    if (!Double.isFinite(alpha)) {
      throw new DeltaException("found alpha " + alpha + ", expected a finite number");
    }
    if (!(dropout >= 0 && dropout < 1)) {
      throw new DeltaException("found dropout " + dropout + ", expected 0 to below 1");
    }
    modulesToSave = List.copyOf(modulesToSave);
    // Of two patterns that match a path the first counts, so that their order is kept.
    ranks = Collections.unmodifiableMap(new LinkedHashMap<>(ranks));
    alphas = Collections.unmodifiableMap(new LinkedHashMap<>(alphas));
  }

  /** LoRA of the given rank with alpha twice as large, no dropout, on query and value. */
  public static Lora rank(int rank) {
    return new Lora(
        rank,
        2.0 * rank,
        0,
        false,
        Address.suffixes(List.of("query", "value")),
        Bias.NONE,
        false,
        List.of(),
        Map.of(),
        Map.of(),
        false);
  }

  /** The same with another alpha. */
  public Lora alpha(double value) {
    return with(value, dropout, rankStabilised, targets, bias, modulesToSave);
  }

  /** The same with dropout before A. */
  public Lora dropout(double probability) {
    return with(alpha, probability, rankStabilised, targets, bias, modulesToSave);
  }

  /** The same with the scale alpha / √rank. */
  public Lora rankStabilised(boolean value) {
    return with(alpha, dropout, value, targets, bias, modulesToSave);
  }

  /** The same on the layers of these suffixes. */
  public Lora on(String... suffixes) {
    return on(Address.suffixes(List.of(suffixes)));
  }

  /** The same on the layers of an address. */
  public Lora on(Address address) {
    return with(alpha, dropout, rankStabilised, address, bias, modulesToSave);
  }

  /** The same with stored biases trained along. */
  public Lora bias(Bias which) {
    return with(alpha, dropout, rankStabilised, targets, which, modulesToSave);
  }

  /** The same with whole layers trained along. */
  public Lora saving(String... modules) {
    return with(alpha, dropout, rankStabilised, targets, bias, List.of(modules));
  }

  private Lora with(
      double newAlpha,
      double newDropout,
      boolean newStabilised,
      Address newTargets,
      Bias newBias,
      List<String> newModules) {
    return new Lora(
        rank,
        newAlpha,
        newDropout,
        newStabilised,
        newTargets,
        newBias,
        outputBias,
        newModules,
        ranks,
        alphas,
        lenient);
  }

  @Override
  public DeltaMethod method() {
    return new LoraMethod();
  }

  @Override
  public List<Part> parts(Model model, Rng rng) {
    List<Layer> hits = lenient ? targets.resolveLeniently(model) : targets.resolve(model);
    SavedModules saved = SavedModules.find(model, modulesToSave, lenient);
    Set<String> adapted = new LinkedHashSet<>();
    List<Part> parts = new ArrayList<>();
    for (Layer layer : hits) {
      if (layer.tensors().keySet().stream().anyMatch(saved::contains)) {
        continue; // trained as a whole
      }
      adapted.add(layer.path());
      int r = LoraPatterns.of(ranks, layer.path(), rank);
      double a = LoraPatterns.of(alphas, layer.path(), alpha);
      double scale = rankStabilised ? a / Math.sqrt(r) : a / r;
      parts.add(
          switch (layer) {
            case Linear linear -> LoraLinear.create(linear, r, scale, dropout, outputBias, rng);
            case Embedding embedding -> LoraEmbedding.create(embedding, r, scale, rng);
            default -> throw new IllegalStateException("addresses hit nothing else: " + layer);
          });
    }
    parts.addAll(biases(model, adapted, saved));
    parts.addAll(saved.parts());
    return parts;
  }

  private List<Part> biases(Model model, Set<String> adapted, SavedModules saved) {
    List<Part> parts = new ArrayList<>();
    Set<String> done = new LinkedHashSet<>();
    for (Layer layer : model.root().walk().toList()) {
      boolean wanted =
          switch (bias) {
            case NONE -> false;
            case ALL -> true;
            case LORA_ONLY -> adapted.contains(layer.path());
          };
      layer
          .tensors()
          .forEach(
              (name, stored) -> {
                if (wanted && name.endsWith("bias") && !saved.contains(name) && done.add(name)) {
                  // PEFT wraps an adapted layer, and its own tensors move one level down.
                  String key =
                      adapted.contains(layer.path())
                          ? name.substring(0, name.length() - 4) + "base_layer.bias"
                          : name;
                  parts.add(ReplacedTensor.copyOf(name, key, stored));
                }
              });
    }
    return parts;
  }

  @Override
  public Map<String, Object> toConfig(Model model) {
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("r", rank);
    config.put("lora_alpha", alpha == Math.rint(alpha) ? (Object) (long) alpha : (Object) alpha);
    config.put("lora_dropout", dropout);
    config.put("use_rslora", rankStabilised);
    config.put("bias", bias.name().toLowerCase(Locale.ROOT));
    config.put("lora_bias", outputBias);
    config.put("fan_in_fan_out", false);
    config.put("init_lora_weights", true);
    config.put("use_dora", false);
    PeftTargets.write(targets, model, config);
    if (!modulesToSave.isEmpty()) {
      config.put("modules_to_save", modulesToSave);
    }
    config.put("rank_pattern", ranks);
    config.put("alpha_pattern", alphas);
    return config;
  }
}
