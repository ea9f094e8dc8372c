package io.trimtab.delta;

import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Model;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A delta method: one package, registered by {@code @AutoService(DeltaMethod.class)} on the class
 * that implements this.
 */
public interface DeltaMethod {
  /** What users call it, such as {@code lora}. */
  String name();

  /** Its {@code peft_type} in {@code adapter_config.json}. */
  String peftType();

  /** Whether it is something by itself, and not made of other methods. */
  default boolean standsAlone() {
    return true;
  }

  /** All types that files of this method may have, those of our own too. */
  default Set<String> peftTypes() {
    return Set.of(peftType());
  }

  /** The paper it comes from. */
  String paper();

  /** The learning rate that works for most tasks. */
  double defaultRate();

  /**
   * How far a new delta may move the base's results, in units of the largest of these: 0 where the
   * method starts as the base exactly, 1 where it changes them from the first step on (a prompt
   * does).
   */
  default double startsWithin() {
    return 0;
  }

  /** What the origins of this method take where nothing is said; none where they lack it. */
  default Presets presets() {
    return Presets.NONE;
  }

  /**
   * The fields of {@code adapter_config.json} that hold a size. A file has at least as many numbers
   * as each says; one that says more is refused before memory is taken for it.
   */
  default List<String> sizeFields() {
    return List.of("r");
  }

  /**
   * Settings from options as users type them, such as {@code rank=8} and {@code
   * targets=query,value}; {@code preset=NAME} stands for the options of one of {@link #presets},
   * which others beside it change.
   *
   * @throws DeltaException for an unknown option or a value out of range
   */
  DeltaSpec fromOptions(Map<String, String> options, Model model);

  /**
   * Settings from {@code adapter_config.json}.
   *
   * @throws DeltaException.Unsupported for a field that changes the result and is not supported
   */
  DeltaSpec fromConfig(ModelConfig config, Model model);
}
