package io.trimtab.delta.lntuning;

import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.Part;
import io.trimtab.delta.ReplacedTensor;
import io.trimtab.delta.SavedModules;
import io.trimtab.model.Layer;
import io.trimtab.model.Model;
import io.trimtab.tensor.Rng;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Settings of LayerNorm tuning (Zhao et al., 2023, section 3): every tensor of the chosen norms,
 * weight [n] and, where there is one, bias [n], is trained from where the base has it.
 */
public final class LnTuning implements DeltaSpec {
  private final Norms norms;
  private final List<String> modulesToSave;
  private final boolean lenient;

  LnTuning(Norms norms, List<String> modulesToSave, boolean lenient) {
    this.norms = norms;
    this.modulesToSave = List.copyOf(modulesToSave);
    this.lenient = lenient;
  }

  /** All norms of the model. */
  public static LnTuning all() {
    return new LnTuning(Norms.ALL, List.of(), false);
  }

  /** Norms whose paths end in a dot and one of these names. */
  public static LnTuning on(String... suffixes) {
    return new LnTuning(Norms.parse(String.join(",", suffixes)), List.of(), false);
  }

  /** The same with whole modules, such as a new classifier, trained along. */
  public LnTuning saving(String... modules) {
    return new LnTuning(norms, List.of(modules), lenient);
  }

  @Override
  public DeltaMethod method() {
    return new LnTuningMethod();
  }

  @Override
  public List<Part> parts(Model model, Rng rng) {
    SavedModules saved = SavedModules.find(model, modulesToSave, lenient);
    List<Part> parts = new ArrayList<>();
    for (Layer layer : norms.resolve(model, lenient)) {
      layer
          .tensors()
          .forEach(
              (name, stored) -> {
                if (!saved.contains(name)) {
                  String own = name.substring(name.lastIndexOf('.') + 1);
                  String key = layer.path() + ".ln_tuning_layers." + own;
                  parts.add(ReplacedTensor.copyOf(name, key, stored));
                }
              });
    }
    parts.addAll(saved.parts());
    return parts;
  }

  @Override
  public Map<String, Object> toConfig(Model model) {
    Map<String, Object> config = new LinkedHashMap<>();
    // Whole paths, since PEFT's names may hit layers that are no norms.
    config.put("target_modules", norms.resolve(model, lenient).stream().map(Layer::path).toList());
    if (!modulesToSave.isEmpty()) {
      config.put("modules_to_save", modulesToSave);
    }
    return config;
  }

  @Override
  public String toString() {
    return "LnTuning[" + norms + (modulesToSave.isEmpty() ? "" : ", saving " + modulesToSave) + "]";
  }
}
