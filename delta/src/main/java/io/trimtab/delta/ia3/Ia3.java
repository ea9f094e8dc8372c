package io.trimtab.delta.ia3;

import io.trimtab.delta.Address;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.Part;
import io.trimtab.delta.SavedModules;
import io.trimtab.model.Layer;
import io.trimtab.model.Linear;
import io.trimtab.model.Model;
import io.trimtab.tensor.Rng;
import java.util.ArrayList;
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
 * @param modulesToSave layers, such as a new classifier, that are trained as a whole
 * @param lenient whether names that hit nothing are let pass, as in files of PEFT
 */
public record Ia3(
    Address targets, List<String> feedForward, List<String> modulesToSave, boolean lenient)
    implements DeltaSpec {
  /** Copies the lists. */
  public Ia3 {
    feedForward = List.copyOf(feedForward);
    modulesToSave = List.copyOf(modulesToSave);
  }

  /** IA3 on layers of these suffixes, with their outputs rescaled. */
  public static Ia3 on(String... suffixes) {
    return new Ia3(Address.suffixes(List.of(suffixes)), List.of(), List.of(), false);
  }

  /** The same with the input rescaled, not the output, of those that end so. */
  public Ia3 feedForward(String... ends) {
    return new Ia3(targets, List.of(ends), modulesToSave, lenient);
  }

  /** The same with whole layers trained along. */
  public Ia3 saving(String... modules) {
    return new Ia3(targets, feedForward, List.of(modules), lenient);
  }

  @Override
  public DeltaMethod method() {
    return new Ia3Method();
  }

  @Override
  public List<Part> parts(Model model, Rng rng) {
    SavedModules saved = SavedModules.find(model, modulesToSave, lenient);
    List<Part> parts = new ArrayList<>();
    for (Layer layer : hits(model)) {
      if (!(layer instanceof Linear linear)) {
        throw new DeltaException.Unsupported(
            "found " + layer + " as a target of IA3, expected linear layers; leave it out");
      }
      if (!saved.contains(linear.weightName())) {
        parts.add(Ia3Linear.create(linear, isFeedForward(layer)));
      }
    }
    parts.addAll(saved.parts());
    return parts;
  }

  private List<Layer> hits(Model model) {
    return lenient ? targets.resolveLeniently(model) : targets.resolve(model);
  }

  private boolean isFeedForward(Layer layer) {
    return feedForward.stream().anyMatch(layer.path()::endsWith);
  }

  @Override
  public Map<String, Object> toConfig(Model model) {
    // Whole paths, since PEFT wants every feed-forward name to be a target's name too.
    List<Layer> hits = hits(model);
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("target_modules", hits.stream().map(Layer::path).toList());
    config.put(
        "feedforward_modules", hits.stream().filter(this::isFeedForward).map(Layer::path).toList());
    config.put("fan_in_fan_out", false);
    config.put("init_ia3_weights", true);
    if (!modulesToSave.isEmpty()) {
      config.put("modules_to_save", modulesToSave);
    }
    return config;
  }
}
