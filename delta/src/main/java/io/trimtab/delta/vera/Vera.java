package io.trimtab.delta.vera;

import io.trimtab.delta.Address;
import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.Part;
import io.trimtab.delta.PeftFields;
import io.trimtab.delta.Targets;
import io.trimtab.model.Linear;
import io.trimtab.model.Model;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.TorchRandom;
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
 * @param projectionSeed what A and B are drawn from
 * @param projectionStored whether A and B are stored with the delta; where they are not, they are
 *     drawn from the seed by PyTorch's generator each time, as PEFT does
 * @param targets the linear layers it goes on
 */
public record Vera(
    int rank,
    double start,
    double dropout,
    int projectionSeed,
    boolean projectionStored,
    Targets targets)
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
    return new Vera(rank, 0.1, 0, 0, true, Targets.of(Address.suffixes(List.of("query", "value"))));
  }

  /** The same with another start of d. */
  public Vera start(double value) {
    return new Vera(rank, value, dropout, projectionSeed, projectionStored, targets);
  }

  /** The same with dropout before A. */
  public Vera dropout(double probability) {
    return new Vera(rank, start, probability, projectionSeed, projectionStored, targets);
  }

  /** The same with A and B drawn from another seed. */
  public Vera projectionSeed(int seed) {
    return new Vera(rank, start, dropout, seed, projectionStored, targets);
  }

  /** The same with A and B left out of files, to be drawn again: much smaller files. */
  public Vera projectionStored(boolean stored) {
    return new Vera(rank, start, dropout, projectionSeed, stored, targets);
  }

  /** The same on other layers. */
  public Vera on(Targets where) {
    return new Vera(rank, start, dropout, projectionSeed, projectionStored, where);
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
    Device device = layers.getFirst().weight().device();
    // PEFT's numbers for both, so that a delta can be stored with or without them.
    try (Scope _ = Scope.open();
        TorchRandom random = TorchRandom.seeded(projectionSeed)) {
      Parameter down = Parameter.constant(DOWN, random.kaimingUniform(0, rank, in).to(device));
      Parameter up = Parameter.constant(UP, random.kaimingUniform(0, out, rank).to(device));
      return layers.stream()
          .<Part>map(layer -> VeraLinear.create(layer, down, up, start, dropout))
          .toList();
    }
  }

  @Override
  public boolean isStored(Parameter constant) {
    return projectionStored;
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
    config.put("save_projection", projectionStored);
    config.put("bias", "none");
    config.put("init_weights", true);
    PeftFields.writeFanInFanOut(model, config);
    targets.write(model, config);
    return config;
  }
}
