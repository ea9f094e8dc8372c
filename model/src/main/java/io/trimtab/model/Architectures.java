package io.trimtab.model;

import io.trimtab.hub.DecoderDefaults;
import io.trimtab.hub.ModelConfig;
import java.util.ServiceLoader;
import java.util.TreeSet;

/** Finds the architecture of a model type among those on the class path. */
final class Architectures {
  private Architectures() {}

  /**
   * The layers of a model, whose architecture is given all that its configuration leaves unsaid.
   */
  static Architecture.Parts build(ModelConfig config, Weights weights) {
    return of(config).build(DecoderDefaults.complete(config), weights);
  }

  static Architecture of(ModelConfig config) {
    String type = config.modelType();
    TreeSet<String> known = new TreeSet<>();
    for (Architecture architecture :
        ServiceLoader.load(Architecture.class, Architecture.class.getClassLoader())) {
      if (architecture.modelTypes().contains(type)) {
        return architecture;
      }
      known.addAll(architecture.modelTypes());
    }
    throw new ModelException.Unsupported(
        "found model_type \""
            + type
            + "\" in "
            + config.path()
            + ", expected one of "
            + String.join(", ", known)
            + "; other architectures are not read yet");
  }
}
