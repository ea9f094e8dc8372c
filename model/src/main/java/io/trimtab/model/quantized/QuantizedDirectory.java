package io.trimtab.model.quantized;

import io.trimtab.hub.ModelDirectory;
import io.trimtab.hub.QuantizedExport;
import io.trimtab.hub.Quantizer;
import io.trimtab.model.Linear;
import io.trimtab.model.Model;
import io.trimtab.model.ModelException;
import io.trimtab.model.OpenOptions;
import io.trimtab.model.weights.WeightForm;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/**
 * A model with the linear layers of its blocks quantized, as a directory that {@link
 * io.trimtab.model.Models#open(String)} opens, see {@link QuantizedExport}. It remembers the hashes
 * of the tensors that were quantized, so that a delta tuned on the one model fits the other.
 */
public final class QuantizedDirectory {
  private QuantizedDirectory() {}

  /**
   * What was written.
   *
   * @param layers how many matrices were quantized
   * @param before the bytes of the model's tensors
   * @param after the bytes of the weights' file
   */
  public record Written(int layers, long before, long after) {}

  /**
   * Quantizes and writes; the directory is there whole or not at all.
   *
   * @param name what errors call the model
   * @param files a model with plain weights
   * @param nested whether NF4's scales are quantized in their turn
   * @param target a directory that is not there yet, or is empty
   * @throws ModelException.Unsupported where a layer of the blocks does not fit the quantizer
   * @throws io.trimtab.hub.HubException.Unsupported where the model is quantized already
   * @throws io.trimtab.hub.FileFormatException where the target cannot be written
   */
  public static Written write(
      String name, ModelDirectory files, Quantizer quantizer, boolean nested, Path target) {
    if (nested && quantizer != Quantizer.NF4) {
      throw new ModelException.Unsupported(
          "found nested scales for " + quantizer.word() + ", expected nf4; leave one of them away");
    }
    OpenOptions inPlace = OpenOptions.DEFAULT.weights(WeightForm.STORED);
    try (Model model = Model.build(name, files.config(), files.tensors(), inPlace)) {
      Set<String> layers = new LinkedHashSet<>();
      Map<String, String> notes = new LinkedHashMap<>();
      List<Linear> chosen =
          model.quantizable().stream().filter(layer -> !staysPlain(model, layer)).toList();
      for (Linear layer : chosen) {
        check(model, layer, quantizer);
        String stored = model.storedName(layer.weightName());
        layers.add(stored);
        notes.put(Model.ORIGINAL + stored, model.fingerprint(layer.weightName()));
      }
      if (layers.isEmpty()) {
        throw new ModelException.Unsupported(
            "found no linear layers in the blocks of " + name + ", expected some to quantize");
      }
      List<String> skipped =
          model
              .root()
              .walk()
              .filter(layer -> layer instanceof Linear && !chosen.contains(layer))
              .flatMap(layer -> names(layer.path()))
              .toList();
      long before = model.held().values().stream().mapToLong(held -> held.bytes()).sum();
      long after =
          QuantizedExport.write(
              files, new QuantizedExport.Plan(quantizer, nested, layers, skipped, notes), target);
      return new Written(layers.size(), before, after);
    }
  }

  /**
   * What transformers computes plainly whatever a file says: T5's second feed-forward layer, which
   * overflows in half precision, and the router of Mixtral's experts, which is no linear layer
   * there.
   */
  private static boolean staysPlain(Model model, Linear layer) {
    return switch (model.config().modelType()) {
      case "t5" -> layer.path().endsWith(".wo");
      case "mixtral" -> layer.path().endsWith(".gate");
      default -> false;
    };
  }

  /** A layer's path, and that by which transformers knows it since it renamed GPT-NeoX's head. */
  private static Stream<String> names(String path) {
    return path.equals("embed_out") ? Stream.of(path, "lm_head") : Stream.of(path);
  }

  private static void check(Model model, Linear layer, Quantizer quantizer) {
    if (model.storedTransposed(layer.weightName())) {
      throw new ModelException.Unsupported(
          "found "
              + layer.weightName()
              + " stored the other way round in "
              + model.name()
              + ", which no format of quantized layers has; open it with weights "
              + quantizer.word()
              + " instead");
    }
    if (!quantizer.fits(layer.weight().out(), layer.weight().in())) {
      throw new ModelException.Unsupported(
          "found rows of "
              + layer.weight().in()
              + " numbers in "
              + layer.weightName()
              + ", expected whole groups of 32 for "
              + quantizer.word()
              + "; use nf4 or int8");
    }
  }
}
