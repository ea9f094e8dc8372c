package io.trimtab.delta.ia3;

import io.trimtab.delta.Address;
import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.Part;
import io.trimtab.delta.PeftFields;
import io.trimtab.delta.Targets;
import io.trimtab.model.Layer;
import io.trimtab.model.Model;
import io.trimtab.tensor.Rng;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Settings of IA3 (Liu et al., 2022, section 3.3): l ⊙ (W x + b) on keys and values, W (l ⊙ x) + b
 * on the second layer of a feed-forward block, every l one at the start.
 *
 * @param targets the linear layers it goes on
 * @param feedForward those of them whose input is rescaled: the ends of their paths, wherever the
 *     name begins
 */
public record Ia3(Targets targets, List<String> feedForward) implements DeltaSpec {
  /** Copies the list. */
  public Ia3 {
    feedForward = List.copyOf(feedForward);
  }

  /** IA3 on layers of these suffixes, with their outputs rescaled. */
  public static Ia3 on(String... suffixes) {
    return on(Targets.of(Address.suffixes(List.of(suffixes))));
  }

  /** IA3 on these layers, with their outputs rescaled. */
  public static Ia3 on(Targets where) {
    return new Ia3(where, List.of());
  }

  /** The same with the input rescaled, not the output, of those that end so. */
  public Ia3 feedForward(String... ends) {
    return new Ia3(targets, List.of(ends));
  }

  /** The same with whole layers trained along. */
  public Ia3 saving(String... modules) {
    return new Ia3(targets.saving(modules), feedForward);
  }

  @Override
  public DeltaMethod method() {
    return new Ia3Method();
  }

  @Override
  public List<Part> parts(Model model, Rng rng) {
    return targets.parts(model, "IA3", layer -> Ia3Linear.create(layer, isFeedForward(layer)));
  }

  private boolean isFeedForward(Layer layer) {
    return feedForward.stream().anyMatch(layer.path()::endsWith);
  }

  @Override
  public Map<String, Object> toConfig(Model model) {
    // Whole paths, since PEFT wants every feed-forward name to be a target's name too.
    List<Layer> hits = targets.layers(model);
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("target_modules", hits.stream().map(Layer::path).toList());
    if (!targets.modulesToSave().isEmpty()) {
      config.put("modules_to_save", targets.modulesToSave());
    }
    config.put(
        "feedforward_modules", hits.stream().filter(this::isFeedForward).map(Layer::path).toList());
    PeftFields.writeFanInFanOut(model, config);
    config.put("init_ia3_weights", true);
    return config;
  }
}
