package io.trimtab.delta.adalora;

import io.trimtab.delta.Address;
import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.Part;
import io.trimtab.delta.PeftFields;
import io.trimtab.delta.Targets;
import io.trimtab.delta.TrainingRule;
import io.trimtab.delta.lora.AdaptedBiases;
import io.trimtab.delta.lora.Lora;
import io.trimtab.model.Linear;
import io.trimtab.model.Model;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.Gradients;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Settings of AdaLoRA (Zhang et al., 2023): W x + s B (E ⊙ A) x with A [rank, in], E [rank, 1] and
 * B [out, rank], of which ranks are pruned in training until the mean rank is the target. s = alpha
 * / (initial rank + 10⁻⁵) whatever ranks are left, as in PEFT.
 *
 * @param initialRank the rank of every layer at first
 * @param targetRank the mean rank of all layers in the end
 * @param alpha the numerator of the scale
 * @param dropout the probability that an input of A is dropped in training
 * @param targets the linear layers it goes on, and modules trained as a whole
 * @param bias which stored biases are trained along
 * @param budget how fast ranks are pruned
 * @param beta1 how much of the importance of a weight is carried to the next step
 * @param beta2 how much of its fluctuation is
 * @param orthogonality the weight of the penalty that keeps A and B orthonormal
 * @param kept by a layer's path, which of the initial ranks are left; all where it is not named
 */
public record AdaLora(
    int initialRank,
    int targetRank,
    double alpha,
    double dropout,
    Targets targets,
    Lora.Bias bias,
    Budget budget,
    double beta1,
    double beta2,
    double orthogonality,
    Map<String, List<Boolean>> kept)
    implements DeltaSpec {
  /** PEFT adds it to the rank that the scale is divided by. */
  private static final double EPSILON = 1e-5;

  /** Checks ranges. */
  public AdaLora {
    if (targetRank < 1 || initialRank < targetRank) {
      throw new DeltaException(
          "found AdaLoRA from rank "
              + initialRank
              + " to "
              + targetRank
              + ", expected a target of at least 1 and at most the initial rank; 12 and 8 are"
              + " usual");
    }
    if (!(alpha > 0) || Double.isInfinite(alpha)) {
      throw new DeltaException(
          "found alpha " + alpha + " for AdaLoRA, expected more than 0; 8 is usual");
    }
    if (!(dropout >= 0 && dropout < 1)) {
      throw new DeltaException("found dropout " + dropout + ", expected 0 to below 1");
    }
    if (!(beta1 > 0 && beta1 < 1 && beta2 > 0 && beta2 < 1)) {
      throw new DeltaException(
          "found beta1 "
              + beta1
              + " and beta2 "
              + beta2
              + ", expected between 0 and 1; 0.85 is usual");
    }
    if (!(orthogonality >= 0) || Double.isInfinite(orthogonality)) {
      throw new DeltaException(
          "found orthogonality " + orthogonality + ", expected 0 or more; 0.5 is usual");
    }
    Map<String, List<Boolean>> copied = new LinkedHashMap<>();
    for (Map.Entry<String, List<Boolean>> entry : kept.entrySet()) {
      if (entry.getValue().size() != initialRank) {
        throw new DeltaException(
            "found "
                + entry.getValue().size()
                + " ranks to keep or leave at "
                + entry.getKey()
                + ", expected one entry for each of the initial "
                + initialRank);
      }
      copied.put(entry.getKey(), List.copyOf(entry.getValue()));
    }
    kept = Collections.unmodifiableMap(copied);
  }

  /** From one rank to another on query and value, the rest as in PEFT, alpha as the target rank. */
  public static AdaLora ranks(int initial, int target) {
    return new AdaLora(
        initial,
        target,
        target,
        0,
        Targets.of(Address.suffixes(List.of("query", "value"))),
        Lora.Bias.NONE,
        new Budget(0, 0, 1, 0),
        0.85,
        0.85,
        0.5,
        Map.of());
  }

  /** The same with another alpha. */
  public AdaLora alpha(double value) {
    return new AdaLora(
        initialRank,
        targetRank,
        value,
        dropout,
        targets,
        bias,
        budget,
        beta1,
        beta2,
        orthogonality,
        kept);
  }

  /** The same with dropout before A. */
  public AdaLora dropout(double value) {
    return new AdaLora(
        initialRank,
        targetRank,
        alpha,
        value,
        targets,
        bias,
        budget,
        beta1,
        beta2,
        orthogonality,
        kept);
  }

  /** The same on other targets. */
  public AdaLora on(Targets where) {
    return new AdaLora(
        initialRank,
        targetRank,
        alpha,
        dropout,
        where,
        bias,
        budget,
        beta1,
        beta2,
        orthogonality,
        kept);
  }

  /** The same with stored biases trained along. */
  public AdaLora bias(Lora.Bias which) {
    return new AdaLora(
        initialRank,
        targetRank,
        alpha,
        dropout,
        targets,
        which,
        budget,
        beta1,
        beta2,
        orthogonality,
        kept);
  }

  /** The same with another schedule. */
  public AdaLora budget(Budget schedule) {
    return new AdaLora(
        initialRank,
        targetRank,
        alpha,
        dropout,
        targets,
        bias,
        schedule,
        beta1,
        beta2,
        orthogonality,
        kept);
  }

  /** The same with other smoothing. */
  public AdaLora smoothing(double importance, double fluctuation) {
    return new AdaLora(
        initialRank,
        targetRank,
        alpha,
        dropout,
        targets,
        bias,
        budget,
        importance,
        fluctuation,
        orthogonality,
        kept);
  }

  /** The same with another weight of the penalty. */
  public AdaLora orthogonality(double weight) {
    return new AdaLora(
        initialRank, targetRank, alpha, dropout, targets, bias, budget, beta1, beta2, weight, kept);
  }

  /** The same with some of the initial ranks left only, by the paths of layers. */
  AdaLora keeping(Map<String, List<Boolean>> ranks) {
    return new AdaLora(
        initialRank,
        targetRank,
        alpha,
        dropout,
        targets,
        bias,
        budget,
        beta1,
        beta2,
        orthogonality,
        ranks);
  }

  @Override
  public DeltaMethod method() {
    return new AdaLoraMethod();
  }

  @Override
  public List<Part> parts(Model model, Rng rng) {
    double scale = alpha / (initialRank + EPSILON);
    Set<String> adapted = new LinkedHashSet<>();
    List<Part> parts = new ArrayList<>();
    for (Linear layer : targets.linears(model, "AdaLoRA")) {
      List<Boolean> mask = kept.get(layer.path());
      int rank =
          mask == null ? initialRank : (int) mask.stream().filter(Boolean::booleanValue).count();
      adapted.add(layer.path());
      parts.add(AdaLoraLinear.create(layer, rank, scale, dropout, rng));
    }
    parts.addAll(AdaptedBiases.parts(model, bias, adapted, targets.saved(model)));
    parts.addAll(targets.saved(model).parts());
    return parts;
  }

  @Override
  public TrainingRule rule(Delta delta) {
    return new RankAllocation(this, linears(delta.parts()));
  }

  private static List<AdaLoraLinear> linears(List<Part> parts) {
    return parts.stream()
        .filter(AdaLoraLinear.class::isInstance)
        .map(AdaLoraLinear.class::cast)
        .toList();
  }

  /** The delta with its pruned ranks left out. */
  @Override
  public Delta toStore(Delta delta) {
    RankAllocation allocation = (RankAllocation) delta.rule();
    Map<String, List<Boolean>> left = new LinkedHashMap<>();
    boolean pruned = false;
    for (AdaLoraLinear part : linears(delta.parts())) {
      boolean[] still = allocation.kept(part);
      List<Boolean> mask = new ArrayList<>(kept.getOrDefault(part.layer().path(), all()));
      int at = 0;
      for (int i = 0; i < mask.size(); i++) {
        if (mask.get(i)) {
          mask.set(i, still[at]);
          pruned |= !still[at];
          at++;
        }
      }
      left.put(part.layer().path(), mask);
    }
    Budget run = budget.over(allocation.steps());
    AdaLora written = budget(run.steps() > run.warmup() + run.finish() ? run : budget);
    if (!pruned && written.equals(this)) {
      return delta;
    }
    return filled(pruned ? written.keeping(left) : written, delta, allocation);
  }

  private List<Boolean> all() {
    return Collections.nCopies(initialRank, true);
  }

  private static Delta filled(AdaLora settings, Delta from, RankAllocation allocation) {
    return Gradients.none(
        () -> {
          try (Scope _ = Scope.open()) {
            Map<String, Tensor> values = new LinkedHashMap<>();
            from.parameters().forEach(each -> values.put(each.name(), each.value()));
            if (!settings.kept.isEmpty()) {
              linears(from.parts()).forEach(part -> cut(part, allocation.kept(part), values));
            }
            Delta delta = settings.attach(from.base(), Rng.seeded(0)); // overwritten below
            for (Parameter parameter : delta.parameters()) {
              parameter.assign(
                  Objects.requireNonNull(values.get(parameter.name()), parameter::name));
            }
            return delta;
          }
        });
  }

  private static void cut(AdaLoraLinear part, boolean[] still, Map<String, Tensor> into) {
    long[] ranks = IntStream.range(0, still.length).filter(i -> still[i]).asLongStream().toArray();
    Tensor at = Creation.longs(ranks, ranks.length).to(part.values().value().device());
    into.put(part.right().name(), Indexing.select(part.right().value(), 0, at));
    into.put(part.values().name(), Indexing.select(part.values().value(), 0, at));
    into.put(part.left().name(), Indexing.select(part.left().value(), 1, at));
  }

  @Override
  public Map<String, Object> toConfig(Model model) {
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("init_r", initialRank);
    config.put("target_r", targetRank);
    config.put("r", 8); // PEFT does not use it, and warns of any other
    config.put("lora_alpha", alpha == Math.rint(alpha) ? (Object) (long) alpha : (Object) alpha);
    config.put("lora_dropout", dropout);
    config.put("bias", bias.name().toLowerCase(Locale.ROOT));
    PeftFields.writeFanInFanOut(model, config);
    config.put("init_lora_weights", true);
    config.put("tinit", budget.warmup());
    config.put("tfinal", budget.finish());
    config.put("deltaT", budget.interval());
    // PEFT wants to know; where no training has been, the fewest that leave a step for pruning.
    long fewest = budget.warmup() + budget.finish() + 1;
    config.put("total_step", budget.steps() > 0 ? budget.steps() : fewest);
    config.put("beta1", beta1);
    config.put("beta2", beta2);
    config.put("orth_reg_weight", orthogonality);
    targets.write(model, config);
    if (!kept.isEmpty()) {
      Map<String, Object> pattern = new LinkedHashMap<>();
      kept.forEach((path, mask) -> pattern.put(path + ".lora_E", mask));
      config.put("rank_pattern", pattern);
    }
    return config;
  }
}
