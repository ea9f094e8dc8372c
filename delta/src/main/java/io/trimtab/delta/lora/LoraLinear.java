package io.trimtab.delta.lora;

import io.trimtab.delta.DeltaException;
import io.trimtab.delta.Gate;
import io.trimtab.delta.Part;
import io.trimtab.model.Linear;
import io.trimtab.model.Pass;
import io.trimtab.model.Patch;
import io.trimtab.model.Site;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.ChangedProduct;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.LinearAlgebra;
import io.trimtab.tensor.LowRankChange;
import io.trimtab.tensor.Neural;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * LoRA beside a linear layer: y + s (B A x + b), equation 3 of the paper; with {@link Dora}
 * magnitudes, of what these make of W + s B A.
 */
final class LoraLinear implements Part {
  private final Linear layer;
  private final List<LoraPair> pairs;
  private final @Nullable Parameter bias;
  private final @Nullable Dora dora;
  private final @Nullable Gate gate;
  private final double scale;
  private final Settings settings;

  private LoraLinear(
      Linear layer,
      List<LoraPair> pairs,
      @Nullable Parameter bias,
      @Nullable Dora dora,
      @Nullable Gate gate,
      double scale,
      Settings settings) {
    this.layer = layer;
    this.pairs = pairs;
    this.bias = bias;
    this.dora = dora;
    this.gate = gate;
    this.scale = scale;
    this.settings = settings;
  }

  /**
   * What every layer's part is made by.
   *
   * @param biasMoves whether the layer's stored bias is trained along
   */
  record Settings(
      LoraStart start,
      double dropout,
      boolean outputBias,
      boolean dora,
      boolean gated,
      boolean biasMoves,
      Lora.Trained trained) {}

  /** A pair for each of the rows, as the start has it. */
  static LoraLinear create(
      Linear layer,
      List<FusedLayer.Rows> rows,
      int rank,
      double scale,
      Settings settings,
      Rng rng) {
    try (Scope _ = Scope.open()) {
      Tensor stored = layer.weight().dense();
      Tensor weight = settings.start().readsWeight() ? stored.to(DType.F32) : stored;
      List<LoraPair> pairs = new ArrayList<>();
      for (FusedLayer.Rows some : rows) {
        boolean whole = some.size() == layer.weight().out();
        Tensor part = whole ? weight : Indexing.slice(weight, 0, some.from(), some.size());
        LoraStart.Factors start = settings.start().of(layer, part, rank, scale, rng);
        check(start, layer, rank, some.size());
        pairs.add(
            LoraPair.of(
                layer.path(), some, start, settings.trained(), settings.start().isSubtracted()));
      }
      Parameter bias =
          settings.outputBias()
              ? Parameter.of(
                  layer.path() + ".lora_B.bias",
                  Creation.zeros(DType.F32, weight.device(), layer.weight().out()))
              : null;
      Dora dora = settings.dora() ? Dora.of(layer.path(), layer.weight().dense()) : null;
      Gate gate =
          settings.gated()
              ? Gate.create(
                  layer.path() + ".lora_gate", layer.weight().in(), 1, weight.device(), rng)
              : null;
      return new LoraLinear(layer, List.copyOf(pairs), bias, dora, gate, scale, settings);
    }
  }

  private static void check(LoraStart.Factors start, Linear layer, int rank, long out) {
    long in = layer.weight().in();
    boolean fits =
        start.down().rank() == 2
            && start.up().rank() == 2
            && start.down().size(0) == rank
            && start.down().size(1) == in
            && start.up().size(0) == out
            && start.up().size(1) == rank;
    if (!fits) {
      throw new DeltaException(
          "found matrices "
              + start.down()
              + " and "
              + start.up()
              + " to start at "
              + layer.path()
              + ", expected ["
              + rank
              + ", "
              + in
              + "] and ["
              + out
              + ", "
              + rank
              + "]; correct the start");
    }
  }

  /** A and B over all rows, with nothing to subtract, by the names that PEFT's files have. */
  Map<String, Tensor> tensors() {
    LoraStart.Factors factors = factors();
    return Map.of(
        layer.path() + ".lora_A.weight", factors.down(),
        layer.path() + ".lora_B.weight", factors.up());
  }

  /** Whether its tensors are just those that PEFT's files have. */
  boolean isPlain() {
    LoraPair first = pairs.getFirst();
    return pairs.size() == 1 && first.rows().name().isEmpty() && first.starts().isEmpty();
  }

  Linear layer() {
    return layer;
  }

  LoraScaling.Sized sized() {
    return new LoraScaling.Sized(pairs.stream().mapToInt(LoraPair::rank).sum(), scale);
  }

  boolean isGated() {
    return gate != null;
  }

  boolean hasMagnitudes() {
    return dora != null;
  }

  /** A and B as one pair over all rows. */
  LoraStart.Factors factors() {
    return new LoraStart.Factors(LoraPair.down(pairs), LoraPair.up(pairs, layer.weight().out()));
  }

  @Nullable Parameter bias() {
    return bias;
  }

  /** What was subtracted from the base at the start. */
  List<Parameter> starts() {
    return pairs.stream().flatMap(pair -> pair.starts().stream()).toList();
  }

  @Override
  public Site<?> site() {
    return Site.output(layer.path());
  }

  @Override
  public Patch patch() {
    return new Beside();
  }

  /** With magnitudes, a gate or a bias of its own it is more than a low-rank product. */
  private final class Beside implements Patch.LowRank, Patch.Changing {
    @Override
    public Tensor apply(Tensor input, Tensor output, Pass pass) {
      return LoraLinear.this.apply(input, output, pass);
    }

    @Override
    public @Nullable Product product() {
      return dora != null || bias != null || gate != null
          ? null
          : new Product(LoraPair.down(pairs), LoraPair.up(pairs, layer.weight().out()), scale);
    }

    @Override
    public ChangedProduct.@Nullable Change change(Pass pass) {
      Product product = drops(pass) ? null : product();
      return product == null
          ? null
          : LowRankChange.where(product.down(), product.up(), product.scale());
    }

    @Override
    public boolean readsWholeRows() {
      return gate != null;
    }
  }

  private boolean drops(Pass pass) {
    return settings.dropout() > 0 && pass.training().isPresent();
  }

  private Tensor apply(Tensor input, Tensor output, Pass pass) {
    DType type = input.dtype();
    Tensor down = LoraPair.down(pairs);
    Tensor up = LoraPair.up(pairs, layer.weight().out());
    double probability = drops(pass) ? settings.dropout() : 0;
    Rng rng = pass.training().orElseGet(() -> Rng.seeded(0)); // where nothing is dropped, unused
    // Magnitudes act on the whole product of what is seen, which then has to be at hand.
    Tensor seen = dora == null ? input : Neural.dropout(input, probability, rng);
    Tensor thin =
        dora == null
            ? Neural.dropoutLinear(seen, down.to(type), probability, rng)
            : LinearAlgebra.linear(seen, down.to(type), null);
    // Scaling the thin product costs rank, not out, numbers a token.
    Tensor inner = Arithmetic.multiply(thin, scale);
    if (gate != null) {
      inner = Arithmetic.multiply(inner, gate.perToken(input, pass.layout()));
    }
    Tensor wide = up.to(type).transpose(0, 1);
    if (dora == null) {
      Tensor changed = LinearAlgebra.addProduct(output, inner, wide);
      return bias == null ? changed : Arithmetic.addScaled(changed, bias.value().to(type), scale);
    }
    Tensor base =
        drops(pass) || settings.biasMoves()
            ? layer.weight().product(seen, null)
            : withoutBias(output);
    Tensor factor = dora.factor(layer.weight().dense(), down, up, scale);
    return Dora.rescaled(output, base, LinearAlgebra.matmul(inner, wide), factor);
  }

  private Tensor withoutBias(Tensor output) {
    Tensor stored = layer.bias();
    return stored == null ? output : Arithmetic.subtract(output, stored);
  }

  @Override
  public List<Parameter> parameters() {
    List<Parameter> parameters = new ArrayList<>();
    for (LoraPair pair : pairs) {
      if (settings.trained() != Lora.Trained.B) {
        parameters.add(pair.down());
      }
      if (settings.trained() != Lora.Trained.A) {
        parameters.add(pair.up());
      }
    }
    if (bias != null) {
      parameters.add(bias);
    }
    if (dora != null) {
      parameters.add(dora.magnitude());
    }
    if (gate != null) {
      parameters.addAll(gate.parameters());
    }
    return parameters;
  }

  @Override
  public List<Parameter> constants() {
    return switch (settings.trained()) {
      case BOTH -> List.of();
      case A -> pairs.stream().map(LoraPair::up).toList();
      case B -> pairs.stream().map(LoraPair::down).toList();
    };
  }

  @Override
  public List<String> baseTensors() {
    return bias == null || layer.bias() == null
        ? List.of(layer.weightName())
        : List.of(layer.weightName(), layer.biasName());
  }

  @Override
  public Tensor merge(String name, Tensor stored) {
    if (gate != null) {
      throw new DeltaException.Unsupported(
          "found LoRA with a gate at "
              + layer.path()
              + ", expected one that changes weights: what a gate lets through differs from row to"
              + " row; use the delta beside the model");
    }
    if (bias != null && layer.bias() == null) {
      throw new DeltaException.Unsupported(
          "found a bias of LoRA's own at "
              + layer.path()
              + ", which has no bias to merge it into; use the delta without merging");
    }
    Tensor wide = stored.to(DType.F32);
    if (bias != null && name.equals(layer.biasName())) {
      return Arithmetic.addScaled(wide, bias.value(), scale).to(stored.dtype());
    }
    LoraStart.Factors factors = factors();
    Tensor product = LinearAlgebra.matmul(factors.up(), factors.down());
    Tensor changed = Arithmetic.addScaled(wide, product, scale);
    if (dora != null) {
      Tensor factor =
          dora.factor(layer.weight().dense(), factors.down(), factors.up(), scale).to(DType.F32);
      changed = Arithmetic.multiply(changed, Indexing.unsqueeze(factor, 1));
    }
    return changed.to(stored.dtype());
  }
}
