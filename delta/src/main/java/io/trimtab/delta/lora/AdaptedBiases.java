package io.trimtab.delta.lora;

import io.trimtab.delta.DeltaException;
import io.trimtab.delta.Part;
import io.trimtab.delta.ReplacedTensor;
import io.trimtab.delta.SavedModules;
import io.trimtab.model.Layer;
import io.trimtab.model.Model;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** PEFT's field {@code bias}: stored biases that are trained along. */
public final class AdaptedBiases {
  private AdaptedBiases() {}

  /** What the field says. */
  public static Lora.Bias parse(String text) {
    return switch (text.toLowerCase(Locale.ROOT)) {
      case "none" -> Lora.Bias.NONE;
      case "all" -> Lora.Bias.ALL;
      case "lora_only" -> Lora.Bias.LORA_ONLY;
      default ->
          throw new DeltaException(
              "found bias \"" + text + "\" for LoRA, expected none, all or lora_only");
    };
  }

  /**
   * Parts for the biases.
   *
   * @param adapted the paths of the layers that LoRA is on
   * @param saved what is trained as a whole anyway
   */
  public static List<Part> parts(
      Model model, Lora.Bias which, Set<String> adapted, SavedModules saved) {
    List<Part> parts = new ArrayList<>();
    if (which == Lora.Bias.NONE) {
      return parts; // most deltas, whose attaching should not walk the whole model for that
    }
    Set<String> done = new LinkedHashSet<>();
    for (Layer layer : model.root().walk().toList()) {
      boolean wanted = which == Lora.Bias.ALL || adapted.contains(layer.path());
      layer
          .tensors()
          .forEach(
              (name, stored) -> {
                if (wanted && name.endsWith("bias") && !saved.contains(name) && done.add(name)) {
                  // PEFT wraps an adapted layer, and its own tensors move one level down.
                  String key =
                      adapted.contains(layer.path())
                          ? name.substring(0, name.length() - 4) + "base_layer.bias"
                          : name;
                  parts.add(ReplacedTensor.copyOf(name, key, stored));
                }
              });
    }
    return parts;
  }
}
