package io.trimtab.delta.randlora;

import io.trimtab.delta.Address;
import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.Part;
import io.trimtab.delta.PeftFields;
import io.trimtab.delta.Targets;
import io.trimtab.model.Linear;
import io.trimtab.model.Model;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Reduction;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Settings of RandLoRA (Albert et al., 2025, section 4): ΔW = alpha / rank · Σᵢ Bᵢ Λᵢ A Γᵢ over n
 * bases, n·rank at least the layer's smaller side, so that the change can be of full rank. With
 * small and large the smaller and larger sides of the largest layer, A [rank, 1, small] and B
 * [large, n, rank] are random, frozen and shared by all layers, each layer using the corner of its
 * own size; Λ [rank, n] starts at zero, Γ [n, small] constant.
 *
 * @param rank the rank of one basis: the more, the fewer numbers are trained
 * @param alpha the numerator of the scale
 * @param dropout the probability that an input is dropped in training
 * @param projectionSeed what A and B are drawn from; they are stored with the delta all the same
 * @param targets the linear layers it goes on
 */
public record RandLora(int rank, double alpha, double dropout, int projectionSeed, Targets targets)
    implements DeltaSpec {
  static final String SMALL = "randlora_A";
  static final String LARGE = "randlora_B";
  private static final Set<String> SHARED = Set.of(SMALL, LARGE);

  /** Checks ranges. */
  public RandLora {
    PeftFields.checkRank(rank, 32);
    PeftFields.checkFinite("alpha", alpha);
    PeftFields.checkDropout("dropout", dropout);
  }

  /** RandLoRA of a rank with alpha 20 times as large, no dropout, on query and value. */
  public static RandLora rank(int rank) {
    return new RandLora(
        rank, 20.0 * rank, 0, 0, Targets.of(Address.suffixes(List.of("query", "value"))));
  }

  /** The same with another alpha. */
  public RandLora alpha(double value) {
    return new RandLora(rank, value, dropout, projectionSeed, targets);
  }

  /** The same with dropout of inputs. */
  public RandLora dropout(double probability) {
    return new RandLora(rank, alpha, probability, projectionSeed, targets);
  }

  /** The same with A and B drawn from another seed. */
  public RandLora projectionSeed(int seed) {
    return new RandLora(rank, alpha, dropout, seed, targets);
  }

  /** The same on other layers. */
  public RandLora on(Targets where) {
    return new RandLora(rank, alpha, dropout, projectionSeed, where);
  }

  /** The same on the layers of these suffixes. */
  public RandLora on(String... suffixes) {
    return on(Targets.of(Address.suffixes(List.of(suffixes))));
  }

  @Override
  public DeltaMethod method() {
    return new RandLoraMethod();
  }

  @Override
  public List<Part> parts(Model model, Rng rng) {
    List<Part> parts = new ArrayList<>(parts(targets.linears(model, "RandLoRA")));
    parts.addAll(targets.saved(model).parts());
    return parts;
  }

  /** Parts on these layers, all over one set of bases. */
  List<Part> parts(List<Linear> layers) {
    if (layers.isEmpty()) {
      return List.of();
    }
    long in = layers.stream().mapToLong(layer -> layer.weight().in()).max().orElseThrow();
    long out = layers.stream().mapToLong(layer -> layer.weight().out()).max().orElseThrow();
    Device device = layers.getFirst().weight().device();
    long small = Math.min(in, out);
    Rng rng = Rng.seeded(projectionSeed);
    try (Scope _ = Scope.open()) {
      Parameter a = Parameter.constant(SMALL, bases(rng, device, rank, 1, small));
      Parameter b =
          Parameter.constant(
              LARGE, bases(rng, device, Math.max(in, out), count(small, rank), rank));
      return layers.stream()
          .<Part>map(layer -> RandLoraLinear.create(layer, a, b, alpha / rank, dropout))
          .toList();
    }
  }

  /** How many bases of a rank a side needs. */
  static long count(long side, long rank) {
    return (side + rank - 1) / rank;
  }

  /** Uniform numbers of standard deviation one. */
  private static Tensor bases(Rng rng, Device device, long... shape) {
    Tensor drawn = rng.uniform(-1, 1, DType.F32, device, shape);
    Tensor centred = Arithmetic.subtract(drawn, Reduction.mean(drawn));
    Tensor variance = Reduction.mean(Arithmetic.multiply(centred, centred));
    return Arithmetic.divide(drawn, Arithmetic.squareRoot(variance));
  }

  @Override
  public String fileKey(String name) {
    return SHARED.contains(name) ? "base_model." + name : DeltaSpec.super.fileKey(name);
  }

  @Override
  public Map<String, Object> toConfig(Model model) {
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("r", rank);
    config.put("randlora_alpha", PeftFields.number(alpha));
    config.put("randlora_dropout", dropout);
    config.put("projection_prng_key", projectionSeed);
    config.put("save_projection", true);
    config.put("sparse", false);
    config.put("very_sparse", false);
    config.put("bias", "none");
    config.put("init_weights", true);
    PeftFields.writeFanInFanOut(model, config);
    targets.write(model, config);
    return config;
  }
}
