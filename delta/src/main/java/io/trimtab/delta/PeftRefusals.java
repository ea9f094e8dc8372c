package io.trimtab.delta;

import io.trimtab.hub.ModelConfig;
import java.util.ArrayList;
import java.util.List;

/** Refuses fields of {@code adapter_config.json} that change the result and are not computed. */
public final class PeftRefusals {
  private PeftRefusals() {}

  /**
   * Refuses biases trained along, and flags that are set.
   *
   * @param method its name, for the error
   * @param flags what has to be false or absent
   * @throws DeltaException.Unsupported which names all that is found
   */
  public static void check(ModelConfig config, String method, String... flags) {
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
              + "; what this changes in the result is not computed yet");
    }
  }
}
