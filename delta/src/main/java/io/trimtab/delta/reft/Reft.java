package io.trimtab.delta.reft;

import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.Part;
import io.trimtab.delta.SavedModules;
import io.trimtab.model.Activation;
import io.trimtab.model.Block;
import io.trimtab.model.Layer;
import io.trimtab.model.Linear;
import io.trimtab.model.Model;
import io.trimtab.model.Place;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Gradients;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.SequencedMap;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Settings of ReFT (Wu et al., 2024, section 3): what a block gives for the first {@code prefix}
 * and the last {@code suffix} tokens of a row becomes h + Rᵀ (W h + b − R h), with W and R [rank,
 * hidden] and b [rank]. W starts as R, so that training starts from the base; the authors draw it.
 *
 * @param kind what R is, and whether R h is subtracted
 * @param rank the size of the subspace
 * @param prefix how many first tokens
 * @param suffix how many last tokens
 * @param tied whether first and last tokens share W, b and R
 * @param blocks the numbers of the blocks; empty for all
 * @param dropout the probability that a number of a changed token is dropped in training
 * @param activation what is applied to W h + b, or null for nothing, which is the paper's; with one
 *     training does not start from the base
 * @param based whether an orthonormal R is turned by a stored matrix [hidden, hidden], as files of
 *     AdapterHub have it
 * @param modulesToSave layers, such as a new classifier, that are trained as a whole
 * @param lenient whether names of modules that hit nothing are let pass, as in files
 */
public record Reft(
    Kind kind,
    int rank,
    int prefix,
    int suffix,
    boolean tied,
    List<Integer> blocks,
    double dropout,
    @Nullable Activation activation,
    boolean based,
    List<String> modulesToSave,
    boolean lenient)
    implements DeltaSpec {

  /** The interventions of the paper. */
  public enum Kind {
    /** R has orthonormal rows (equation 2). */
    LOREFT,
    /** R is any matrix. */
    NOREFT,
    /** R is any matrix and R h is not subtracted (equation 3). */
    DIREFT
  }

  /** Checks ranges. */
  public Reft {
    if (rank < 1) {
      throw new DeltaException("found rank " + rank + " for ReFT, expected at least 1");
    }
    if (prefix < 0 || suffix < 0 || prefix + suffix == 0) {
      throw new DeltaException(
          "found "
              + prefix
              + " first and "
              + suffix
              + " last tokens for ReFT, expected at least one token in all, and none below 0");
    }
    if (!(dropout >= 0 && dropout < 1)) {
      throw new DeltaException("found dropout " + dropout + ", expected 0 to below 1");
    }
    if (based && kind != Kind.LOREFT) {
      throw new DeltaException(
          "found a stored matrix that turns R for " + kind + ", expected one for loreft only");
    }
    blocks = List.copyOf(blocks);
    modulesToSave = List.copyOf(modulesToSave);
  }

  /** Interventions of a rank at the first and last three tokens, each with their own, in all. */
  public static Reft of(Kind kind, int rank) {
    return new Reft(kind, rank, 3, 3, false, List.of(), 0, null, false, List.of(), false);
  }

  /**
   * The same at other tokens.
   *
   * @param share whether first and last tokens share their intervention
   */
  public Reft at(int first, int last, boolean share) {
    return with(first, last, share, blocks, dropout, activation, based, modulesToSave);
  }

  /** The same in some blocks only. */
  public Reft inBlocks(List<Integer> numbers) {
    return with(prefix, suffix, tied, numbers, dropout, activation, based, modulesToSave);
  }

  /** The same with dropout. */
  public Reft dropout(double probability) {
    return with(prefix, suffix, tied, blocks, probability, activation, based, modulesToSave);
  }

  /** The same with an activation on W h + b, or null for none. */
  public Reft activation(@Nullable Activation function) {
    return with(prefix, suffix, tied, blocks, dropout, function, based, modulesToSave);
  }

  /** The same with a stored matrix that turns R, or without. */
  public Reft based(boolean value) {
    return with(prefix, suffix, tied, blocks, dropout, activation, value, modulesToSave);
  }

  /** The same with whole layers trained along. */
  public Reft saving(String... modules) {
    return with(prefix, suffix, tied, blocks, dropout, activation, based, List.of(modules));
  }

  private Reft with(
      int newPrefix,
      int newSuffix,
      boolean newTied,
      List<Integer> newBlocks,
      double newDropout,
      @Nullable Activation newActivation,
      boolean newBased,
      List<String> newModules) {
    return new Reft(
        kind,
        rank,
        newPrefix,
        newSuffix,
        newTied,
        newBlocks,
        newDropout,
        newActivation,
        newBased,
        newModules,
        lenient);
  }

  /** The activation by the name that files have for it, or null for none. */
  public @Nullable String activationName() {
    return switch (activation) {
      case null -> null;
      case GELU -> "gelu";
      case GELU_TANH -> "gelu_new";
      case RELU -> "relu";
      case SILU -> "silu";
      case TANH -> "tanh";
    };
  }

  @Override
  public DeltaMethod method() {
    return new ReftMethod();
  }

  @Override
  public List<Part> parts(Model model, Rng rng) {
    List<Block> all = model.stack().blocks();
    SequencedMap<String, Set<Integer>> numbers = new LinkedHashMap<>();
    for (int number : chosen(model)) {
      numbers.computeIfAbsent(all.get(number).path(), path -> new LinkedHashSet<>()).add(number);
    }
    List<Part> parts = new ArrayList<>();
    numbers.forEach(
        (path, uses) -> parts.add(part(all.get(uses.iterator().next()), uses, model, rng)));
    parts.addAll(SavedModules.find(model, modulesToSave, lenient).parts());
    return parts;
  }

  /** The numbers of the blocks of a model that have interventions. */
  public List<Integer> chosen(Model model) {
    int count = model.stack().blocks().size();
    for (int block : blocks) {
      if (block < 0 || block >= count) {
        throw new DeltaException.NoMatch(
            "found block "
                + block
                + " for ReFT, expected 0 to "
                + (count - 1)
                + ", which are the blocks of "
                + model.name());
      }
    }
    return blocks.isEmpty()
        ? IntStream.range(0, count).boxed().toList()
        : blocks.stream().sorted().distinct().toList();
  }

  /** The matrix that a block's result comes of: that of attention where experts have many. */
  private static String lastWeight(Block block, Model model) {
    Place last = block.places().getOrDefault("ff.w2", block.places().get("attn.proj"));
    Layer layer = model.layer(Objects.requireNonNull(last).path()).orElseThrow();
    if (layer instanceof Linear linear) {
      return linear.weightName();
    }
    throw new IllegalStateException("sublayers end in a linear layer: " + layer);
  }

  private Part part(Block block, Set<Integer> uses, Model model, Rng rng) {
    long hidden = block.hiddenSize();
    if (kind == Kind.LOREFT && rank >= hidden) {
      throw new DeltaException(
          "found rank "
              + rank
              + " for LoReFT, expected less than the hidden size "
              + hidden
              + " of "
              + model.name());
    }
    List<ReftUnit> units = new ArrayList<>();
    try (Scope _ = Scope.open()) {
      for (int i = 0; i < (tied ? 1 : 2); i++) {
        String path = block.path() + ".reft_layer.units." + i;
        units.add(unit(path, hidden, tied || (i == 0 ? prefix : suffix) > 0, model, rng));
      }
    }
    List<String> base = List.of(lastWeight(block, model));
    return new ReftPart(block, uses, prefix, suffix, units, base);
  }

  private ReftUnit unit(String path, long hidden, boolean used, Model model, Rng rng) {
    BiFunction<String, Tensor, Parameter> maker =
        (name, start) ->
            used
                ? Parameter.of(name, start.to(model.device()))
                : Parameter.constant(name, start.to(model.device()));
    String at = path + ".projection";
    Projection projection =
        kind == Kind.LOREFT
            ? Projection.Orthonormal.create(at, rank, hidden, based, rng, maker)
            : Projection.Free.create(at, rank, hidden, rng, maker);
    Tensor r = Gradients.none(() -> projection.matrix(DType.F32).copy());
    Tensor zeros = Creation.zeros(DType.F32, model.device(), rank);
    return new ReftUnit(
        maker.apply(
            path + ".learned_source.weight",
            kind == Kind.DIREFT ? Creation.zeros(DType.F32, model.device(), rank, hidden) : r),
        maker.apply(path + ".learned_source.bias", zeros),
        projection,
        activation,
        kind != Kind.DIREFT,
        dropout,
        used);
  }

  @Override
  public Map<String, Object> toConfig(Model model) {
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("kind", kind.name().toLowerCase(Locale.ROOT));
    config.put("r", rank);
    config.put("prefix_positions", prefix);
    config.put("suffix_positions", suffix);
    config.put("tied_weights", tied);
    config.put("dropout", dropout);
    if (!blocks.isEmpty()) {
      config.put("layers", chosen(model));
    }
    String function = activationName();
    if (function != null) {
      config.put("non_linearity", function);
    }
    if (based) {
      config.put("based", true);
    }
    if (!modulesToSave.isEmpty()) {
      config.put("modules_to_save", modulesToSave);
    }
    return config;
  }
}
