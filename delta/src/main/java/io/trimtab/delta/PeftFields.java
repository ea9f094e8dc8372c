package io.trimtab.delta;

import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Model;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Fields of {@code adapter_config.json} that several methods share, and what they may say here. */
public final class PeftFields {
  /** The architectures whose layers transformers keeps as {@code Conv1D}, inputs by outputs. */
  private static final Set<String> TRANSPOSED =
      Set.of("gpt2", "openai-gpt", "imagegpt", "decision_transformer");

  private static final String TRANSPOSED_FIELD = "fan_in_fan_out";

  private PeftFields() {}

  /**
   * Refuses a {@code fan_in_fan_out} that does not belong to the model: PEFT sets it itself by the
   * kind of the layers it finds, so that another value is a file for another model.
   */
  public static void checkFanInFanOut(ModelConfig config, Model model) {
    if (config.flag(TRANSPOSED_FIELD, false) && !isTransposed(model)) {
      throw new DeltaException.Unsupported(
          "found "
              + TRANSPOSED_FIELD
              + " in "
              + config.path()
              + ", expected false for "
              + model.name()
              + ", whose layers hold a row for each output; the file is for another model");
    }
  }

  /** Adds {@code fan_in_fan_out} as PEFT sets it for this model. */
  public static void writeFanInFanOut(Model model, Map<String, Object> config) {
    config.put(TRANSPOSED_FIELD, isTransposed(model));
  }

  private static boolean isTransposed(Model model) {
    return TRANSPOSED.contains(model.config().modelType());
  }

  /**
   * Refuses biases trained along, and flags that are on: what changes the result in a way that a
   * method does not compute.
   *
   * @param method its name, for the error
   * @param flags what has to be false or absent
   * @throws DeltaException.Unsupported which names all that is found
   */
  public static void refuse(ModelConfig config, String method, String... flags) {
    List<String> found = new ArrayList<>();
    String bias = config.text("bias", "none");
    if (!bias.equals("none")) {
      found.add("bias=" + bias);
    }
    for (String flag : flags) {
      if (config.flag(flag, false)) {
        found.add(flag);
      }
    }
    if (!found.isEmpty()) {
      throw new DeltaException.Unsupported(
          "found "
              + String.join(", ", found)
              + " in "
              + config.path()
              + ", expected plain "
              + method
              + "; what this changes in the result is not computed");
    }
  }

  /** A number as PEFT writes it: whole where it is. */
  public static Object number(double value) {
    return value == Math.rint(value) ? (Object) (long) value : (Object) value;
  }

  /**
   * Checks a rank.
   *
   * @throws DeltaException below 1
   */
  public static void checkRank(int rank, int usual) {
    if (rank < 1) {
      throw new DeltaException(
          "found rank " + rank + ", expected at least 1; " + usual + " is usual");
    }
  }

  /**
   * Checks a number that scales something.
   *
   * @throws DeltaException where it is not finite
   */
  public static void checkFinite(String name, double value) {
    if (!Double.isFinite(value)) {
      throw new DeltaException("found " + name + " " + value + ", expected a finite number");
    }
  }

  /**
   * Checks a probability of leaving something out.
   *
   * @throws DeltaException outside 0 to below 1
   */
  public static void checkDropout(String name, double value) {
    if (!(value >= 0 && value < 1)) {
      throw new DeltaException("found " + name + " " + value + ", expected 0 to below 1");
    }
  }
}
