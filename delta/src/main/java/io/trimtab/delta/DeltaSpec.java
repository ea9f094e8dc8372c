package io.trimtab.delta;

import io.trimtab.model.Model;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Rng;
import java.util.List;
import java.util.Map;

/** The settings of a delta method: what to attach, where, how large. Immutable. */
public interface DeltaSpec {
  /** The method that these are settings of. */
  DeltaMethod method();

  /**
   * Makes the parts for a model, freshly initialised.
   *
   * @throws DeltaException.NoMatch where an address hits nothing
   */
  List<Part> parts(Model model, Rng rng);

  /** The settings as the fields of {@code adapter_config.json}. */
  Map<String, Object> toConfig(Model model);

  /**
   * Its {@code peft_type} in {@code adapter_config.json}: the method's, or one of our own where
   * PEFT would read the same fields otherwise.
   */
  default String peftType() {
    return method().peftType();
  }

  /** The key in PEFT's files of a parameter or constant of that name. */
  default String fileKey(String name) {
    return "base_model.model." + name;
  }

  /** Whether files hold a constant; one that can be drawn again from a seed may be left out. */
  default boolean isStored(Parameter constant) {
    return true;
  }

  /** What a parameter's learning rate is multiplied by. */
  default double rateFactor(Parameter parameter) {
    return 1;
  }

  /**
   * What training with this method asks for beyond gradients.
   *
   * @param delta a delta of these settings
   */
  default TrainingRule rule(Delta delta) {
    return TrainingRule.NONE;
  }

  /**
   * An equivalent delta in the form that files have: a prefix without the network that computed it,
   * for one. Most methods are stored as they are trained.
   */
  default Delta toStore(Delta delta) {
    return delta;
  }

  /** Attaches a new delta to a model; the model is not changed. */
  default Delta attach(Model model, Rng rng) {
    return Delta.of(this, model, parts(model, rng));
  }
}
