package io.trimtab.delta;

import io.trimtab.model.Model;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.SequencedMap;
import java.util.Set;

/**
 * Modules that a method trains as a whole beside its own parts, such as a new classifier: PEFT's
 * {@code modules_to_save}.
 */
public final class SavedModules {
  private final SequencedMap<String, Tensor> stored;
  private final Set<String> names = new LinkedHashSet<>();

  private SavedModules(SequencedMap<String, Tensor> stored) {
    this.stored = stored;
  }

  /**
   * The tensors of all modules whose path ends in one of {@code modules}; as in PEFT, wherever the
   * name begins, so that {@code classifier} is also {@code pre_classifier}.
   *
   * @param lenient whether names that hit nothing are let pass, as in files of PEFT
   * @throws DeltaException.NoMatch for a name that hits nothing
   */
  public static SavedModules find(Model model, List<String> modules, boolean lenient) {
    // Most deltas save none, and attaching one should not walk the whole model for that.
    SavedModules found =
        new SavedModules(modules.isEmpty() ? new LinkedHashMap<>() : model.tensors());
    for (String module : modules) {
      boolean hit = false;
      for (String name : found.stored.keySet()) {
        if (isWithin(name, module)) {
          found.names.add(name);
          hit = true;
        }
      }
      if (!hit && !lenient) {
        throw new DeltaException.NoMatch(
            "found no layer "
                + module
                + " to train as a whole in "
                + model.name()
                + ", expected the end of a layer's path, such as classifier");
      }
    }
    return found;
  }

  private static boolean isWithin(String tensor, String module) {
    int dot = tensor.lastIndexOf('.');
    while (dot > 0) {
      if (tensor.substring(0, dot).endsWith(module)) {
        return true;
      }
      dot = tensor.lastIndexOf('.', dot - 1);
    }
    return false;
  }

  /** Whether a tensor is one of them. */
  public boolean contains(String tensor) {
    return names.contains(tensor);
  }

  /** Parts that train them. */
  public List<Part> parts() {
    List<Part> parts = new ArrayList<>();
    for (String name : names) {
      parts.add(ReplacedTensor.copyOf(name, name, Objects.requireNonNull(stored.get(name))));
    }
    return parts;
  }
}
