package io.trimtab.delta.lntuning;

import io.trimtab.delta.DeltaException;
import io.trimtab.delta.PathNames;
import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Embedding;
import io.trimtab.model.Layer;
import io.trimtab.model.Linear;
import io.trimtab.model.Model;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Which norms of a model.
 *
 * @param names of those chosen; none for all
 * @param excluded names of those left out
 */
record Norms(PathNames names, PathNames excluded) {
  /** All norms. */
  static final Norms ALL = new Norms(PathNames.NONE, PathNames.NONE);

  /** What users type; nothing for all. */
  static Norms parse(String text) {
    return new Norms(PathNames.parse(text), PathNames.NONE);
  }

  /** What {@code adapter_config.json} says. */
  static Norms read(ModelConfig config) {
    return new Norms(
        PathNames.fromConfig(config, "target_modules"),
        PathNames.fromConfig(config, "exclude_modules"));
  }

  /**
   * The layers.
   *
   * @param lenient whether names that hit nothing are let pass, as in files of PEFT
   * @throws DeltaException.NoMatch where a name hits nothing
   * @throws DeltaException.Unsupported where one hits a layer that is no norm
   */
  List<Layer> resolve(Model model, boolean lenient) {
    Set<String> missing = new LinkedHashSet<>(names.texts());
    List<Layer> hits = new ArrayList<>();
    for (Layer layer : model.root().walk().toList()) {
      if (layer.tensors().isEmpty() || !excluded.matching(layer.path()).isEmpty()) {
        continue;
      }
      List<String> matching = names.matching(layer.path());
      if (!matching.isEmpty()) {
        missing.removeAll(matching);
        hits.add(check(layer));
      } else if (names.isEmpty() && isNorm(layer)) {
        hits.add(layer);
      }
    }
    if (hits.isEmpty() || (!lenient && !missing.isEmpty())) {
      throw new DeltaException.NoMatch(
          "found no norm of "
              + model.name()
              + " that matches "
              + (missing.isEmpty() ? names : String.join(", ", missing))
              + ", expected the path of a norm, a suffix of it after a dot, or [r] and a regular"
              + " expression, such as "
              + example(model));
    }
    return hits;
  }

  private static Layer check(Layer layer) {
    if (!isNorm(layer)) {
      throw new DeltaException.Unsupported(
          "found " + layer + " as a target of ln-tuning, expected norms; train it by modules");
    }
    return layer;
  }

  /** Whatever kind of norm: it holds vectors and is nothing else that does. */
  private static boolean isNorm(Layer layer) {
    return !(layer instanceof Linear)
        && !(layer instanceof Embedding)
        && !layer.tensors().isEmpty()
        && layer.held().values().stream().allMatch(tensor -> tensor.shape().size() == 1);
  }

  private static String example(Model model) {
    return model
        .root()
        .walk()
        .filter(Norms::isNorm)
        .findFirst()
        .map(layer -> layer.path().substring(layer.path().lastIndexOf('.') + 1))
        .orElse("LayerNorm, of which this model has none");
  }

  @Override
  public String toString() {
    return names.isEmpty() ? "all norms" : names.toString();
  }
}
