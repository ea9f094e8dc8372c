package io.trimtab.delta.selective;

import io.trimtab.delta.DeltaException;
import io.trimtab.delta.Part;
import io.trimtab.delta.ReplacedTensor;
import io.trimtab.model.Model;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Settings of selective tuning, the methods that train some of the model's own tensors and add
 * nothing.
 */
public final class Selective {
  private Selective() {}

  /** Everything: full fine-tuning. */
  public static FullTuning all() {
    return new FullTuning();
  }

  /** The biases the model has: BitFit. */
  public static BitFit biases() {
    return BitFit.existing();
  }

  /** The last blocks, whatever comes after them, and the heads. */
  public static LastBlocks lastBlocks(int blocks) {
    return new LastBlocks(blocks);
  }

  /** Everything in modules of these paths, or ends of paths. */
  public static ChosenModules modules(String... paths) {
    return ChosenModules.of(paths);
  }

  /**
   * Parts that train the tensors of these names as wholes.
   *
   * @throws DeltaException.NoMatch where there are none
   */
  static List<Part> parts(Model model, Collection<String> names, String what) {
    if (names.isEmpty()) {
      throw new DeltaException.NoMatch(
          "found no " + what + " in " + model.name() + ", expected some; choose another method");
    }
    Map<String, Tensor> stored = model.tensors();
    List<Part> parts = new ArrayList<>();
    for (String name : names) {
      parts.add(ReplacedTensor.copyOf(name, name, Objects.requireNonNull(stored.get(name))));
    }
    return parts;
  }
}
