package io.trimtab.delta.vera;

import io.trimtab.delta.Address;
import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.Part;
import io.trimtab.delta.PeftFields;
import io.trimtab.delta.Targets;
import io.trimtab.model.Linear;
import io.trimtab.model.Model;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Settings of VeRA (Kopiczko et al., 2023, equation 2): W x + b ⊙ (B (d ⊙ (A x))). A [rank, in] and
 * B [out, rank] are random, frozen and shared by all layers, each layer using the corner of its own
 * size; b [out] starts at zero, d [rank] at {@code start}.
 *
 * @param rank the inner size
 * @param start what every number of d starts at
 * @param dropout the probability that an input of A is dropped in training
 * @param projectionSeed what A and B are drawn from; they are stored with the delta all the same
 * @param targets the linear layers it goes on
 */
public record Vera(int rank, double start, double dropout, int projectionSeed, Targets targets)
    implements DeltaSpec {
  static final String DOWN = "vera_A";
  static final String UP = "vera_B";
  private static final Set<String> SHARED = Set.of(DOWN, UP);

  /** Checks ranges. */
  public Vera {
    PeftFields.checkRank(rank, 256);
    PeftFields.checkFinite("start", start);
    PeftFields.checkDropout("dropout", dropout);
  }

  /** VeRA of a rank with d starting at 0.1, no dropout, on query and value. */
  public static Vera rank(int rank) {
    return new Vera(rank, 0.1, 0, 0, Targets.of(Address.suffixes(List.of("query", "value"))));
  }

  /** The same with another start of d. */
  public Vera start(double value) {
    return new Vera(rank, value, dropout, projectionSeed, targets);
  }

  /** The same with dropout before A. */
  public Vera dropout(double probability) {
    return new Vera(rank, start, probability, projectionSeed, targets);
  }

  /** The same with A and B drawn from another seed. */
  public Vera projectionSeed(int seed) {
    return new Vera(rank, start, dropout, seed, targets);
  }

  /** The same on other layers. */
  public Vera on(Targets where) {
    return new Vera(rank, start, dropout, projectionSeed, where);
  }

  /** The same on the layers of these suffixes. */
  public Vera on(String... suffixes) {
    return on(Targets.of(Address.suffixes(List.of(suffixes))));
  }

  @Override
  public DeltaMethod method() {
    return new VeraMethod();
  }

  @Override
  public List<Part> parts(Model model, Rng rng) {
    List<Part> parts = new ArrayList<>(parts(targets.linears(model, "VeRA")));
    parts.addAll(targets.saved(model).parts());
    return parts;
  }

  /** Parts on these layers, all over one pair of projections. */
  List<Part> parts(List<Linear> layers) {
    if (layers.isEmpty()) {
      return List.of();
    }
    long in = layers.stream().mapToLong(layer -> layer.weight().in()).max().orElseThrow();
    long out = layers.stream().mapToLong(layer -> layer.weight().out()).max().orElseThrow();
    Device device = layers.getFirst().weight().dense().device();
    Rng rng = Rng.seeded(projectionSeed);
    try (Scope _ = Scope.open()) {
      Parameter down = Parameter.constant(DOWN, projection(rng, device, rank, in));
      Parameter up = Parameter.constant(UP, projection(rng, device, out, rank));
      return layers.stream()
          .<Part>map(layer -> VeraLinear.create(layer, down, up, start, dropout))
          .toList();
    }
  }

  /** Kaiming's uniform start (He et al., 2015): within ± √(6 / columns). */
  private static Tensor projection(Rng rng, Device device, long rows, long columns) {
    double bound = Math.sqrt(6.0 / columns);
    return rng.uniform(-bound, bound, DType.F32, device, rows, columns);
  }

  @Override
  public String fileKey(String name) {
    return SHARED.contains(name) ? "base_model." + name : DeltaSpec.super.fileKey(name);
  }

  @Override
  public Map<String, Object> toConfig(Model model) {
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("r", rank);
    config.put("d_initial", start);
    config.put("vera_dropout", dropout);
    config.put("projection_prng_key", projectionSeed);
    config.put("save_projection", true);
    config.put("bias", "none");
    config.put("init_weights", true);
    PeftFields.writeFanInFanOut(model, config);
    targets.write(model, config);
    return config;
  }
}
