package io.trimtab.delta.selective;

import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.Part;
import io.trimtab.delta.PathNames;
import io.trimtab.model.Model;
import io.trimtab.tensor.Rng;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Tuning of chosen modules: every tensor in them is trained. A tensor that two layers share, such
 * as a table that a head is tied to, changes for both.
 *
 * @param targets the modules, as names with commas between them or {@code [r]} and a regular
 *     expression; a block such as {@code layer.11} or a single tensor such as {@code query.weight}
 *     goes too
 */
public record ChosenModules(String targets) implements DeltaSpec {
  /** Checks the text. */
  public ChosenModules {
    if (PathNames.parse(targets).isEmpty()) {
      throw new DeltaException("found no modules to train, expected at least one name");
    }
  }

  /** Modules of these paths, or ends of paths. */
  static ChosenModules of(String... paths) {
    return new ChosenModules(String.join(",", paths));
  }

  @Override
  public DeltaMethod method() {
    return new ChosenModulesMethod();
  }

  @Override
  public List<Part> parts(Model model, Rng rng) {
    return Selective.parts(
        model,
        TensorNames.choose(PathNames.parse(targets), model.tensors().keySet(), "tensor"),
        "tensor");
  }

  @Override
  public Map<String, Object> toConfig(Model model) {
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("targets", targets);
    return config;
  }
}
