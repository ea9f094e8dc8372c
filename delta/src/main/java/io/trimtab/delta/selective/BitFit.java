package io.trimtab.delta.selective;

import io.trimtab.delta.Address;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.Part;
import io.trimtab.delta.PathNames;
import io.trimtab.delta.SavedModules;
import io.trimtab.model.Layer;
import io.trimtab.model.Linear;
import io.trimtab.model.Model;
import io.trimtab.model.Norm;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Settings of BitFit (Ben Zaken et al., 2021, section 3): every bias [n] is trained, and nothing
 * else. Layers without a bias can be given one, which starts at zero, so that training starts from
 * the base all the same.
 *
 * @param targets which modules' biases, as names with commas between them or {@code [r]} and a
 *     regular expression, or an {@link Address} of common names such as {@code @attn,@ff}; empty
 *     for all
 * @param added whether linear layers and norms without a bias are given one
 * @param modulesToSave modules, such as a new classifier, that are trained as a whole
 * @param lenient whether names of such modules that hit nothing are let pass, as in files
 */
public record BitFit(String targets, boolean added, List<String> modulesToSave, boolean lenient)
    implements DeltaSpec {
  /** Copies the list. */
  public BitFit {
    modulesToSave = List.copyOf(modulesToSave);
  }

  /** All biases the model has. */
  public static BitFit existing() {
    return new BitFit("", false, List.of(), false);
  }

  /** The same with biases, zero at the start, for linear layers and norms that have none. */
  public BitFit adding() {
    return new BitFit(targets, true, modulesToSave, lenient);
  }

  /** The same for modules of these paths, or ends of paths, alone. */
  public BitFit in(String... modules) {
    return new BitFit(String.join(",", modules), added, modulesToSave, lenient);
  }

  /** The same with whole modules trained along. */
  public BitFit saving(String... modules) {
    return new BitFit(targets, added, List.of(modules), lenient);
  }

  @Override
  public DeltaMethod method() {
    return new BitFitMethod();
  }

  @Override
  public List<Part> parts(Model model, Rng rng) {
    SavedModules saved = SavedModules.find(model, modulesToSave, lenient);
    Map<String, Layer> missing = added ? withoutBias(model) : Map.of();
    Set<String> biases = new LinkedHashSet<>();
    for (String name : model.tensors().keySet()) {
      if (name.endsWith("bias")) {
        biases.add(name);
      }
    }
    biases.addAll(missing.keySet());
    Set<String> chosen = new LinkedHashSet<>(targets.isBlank() ? biases : chosen(model, biases));
    chosen.removeIf(saved::contains);
    List<Part> parts = new ArrayList<>();
    List<String> own = chosen.stream().filter(name -> !missing.containsKey(name)).toList();
    if (!own.isEmpty() || chosen.isEmpty()) {
      parts.addAll(Selective.parts(model, own, "bias"));
    }
    missing.forEach(
        (name, layer) -> {
          if (chosen.contains(name)) {
            parts.add(layer instanceof Linear linear ? AddedBias.of(linear) : norm(layer, name));
          }
        });
    parts.addAll(saved.parts());
    return parts;
  }

  private Set<String> chosen(Model model, Set<String> biases) {
    if (!targets.contains("@")) {
      return TensorNames.choose(PathNames.parse(targets), biases, "bias");
    }
    Set<String> chosen = new LinkedHashSet<>();
    for (Address.Hit hit : Address.parse(targets).find(model, Address.Kind.LAYERS)) {
      if (hit.outputs() != null) {
        throw new DeltaException.Unsupported(
            "found a part, "
                + hit
                + ", as a target of BitFit, expected whole layers, whose bias is one tensor; name"
                + " the layer "
                + hit.path());
      }
      String added = hit.path() + ".bias";
      if (hit.layer() instanceof Linear linear && linear.bias() != null) {
        chosen.add(linear.biasName());
      } else if (biases.contains(added)) {
        chosen.add(added);
      }
    }
    return chosen;
  }

  /** The layers that could have a bias and have none, by the name it would have. */
  private static Map<String, Layer> withoutBias(Model model) {
    Map<String, Layer> missing = new LinkedHashMap<>();
    for (Layer layer : model.root().walk().toList()) {
      if (layer instanceof Linear linear && linear.bias() == null) {
        missing.put(linear.path() + ".bias", layer);
      } else if (layer instanceof Norm norm && norm.tensors().size() == 1) {
        missing.put(norm.path() + ".bias", layer);
      }
    }
    return missing;
  }

  private static Part norm(Layer layer, String name) {
    Map.Entry<String, Tensor> weight = layer.tensors().firstEntry();
    return AddedBias.of(name, weight.getKey(), weight.getValue());
  }

  @Override
  public Map<String, Object> toConfig(Model model) {
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("targets", targets);
    config.put("added", added);
    if (!modulesToSave.isEmpty()) {
      config.put("modules_to_save", modulesToSave);
    }
    return config;
  }
}
