package io.trimtab.model;

import io.trimtab.hub.ModelConfig;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * A family of models: reads a configuration, asks for weights, names and joins the layers. One
 * class each, found by {@link java.util.ServiceLoader} (annotate it with {@code @AutoService}).
 */
public interface Architecture {
  /** The values of {@code model_type} in config.json that this class builds. */
  Set<String> modelTypes();

  /** Builds the layers of the model class that {@code config.architectures} names. */
  Parts build(ModelConfig config, Weights weights);

  /**
   * The layers of a model.
   *
   * @param stacks from tokens to vectors: one, or an encoder and the decoder that reads it
   * @param heads what reads the last one's vectors; empty for a bare model
   */
  record Parts(List<Stack> stacks, List<Head> heads) {
    /** Copies the lists. */
    public Parts {
      stacks = List.copyOf(stacks);
      heads = List.copyOf(heads);
    }

    /** A model of one stack. */
    public Parts(Stack stack, List<Head> heads) {
      this(List.of(stack), heads);
    }
  }

  /** Which head a model class has, by the ending of its name. */
  enum Task {
    BARE,
    MASKED_LM,
    SEQUENCE_CLASSIFICATION,
    TOKEN_CLASSIFICATION;

    private boolean names(String modelClass) {
      return switch (this) {
        case BARE -> modelClass.endsWith("Model") || modelClass.endsWith("ForPreTraining");
        case MASKED_LM -> modelClass.endsWith("ForMaskedLM");
        case SEQUENCE_CLASSIFICATION -> modelClass.endsWith("ForSequenceClassification");
        case TOKEN_CLASSIFICATION -> modelClass.endsWith("ForTokenClassification");
      };
    }

    /** The task of the class that a configuration names; a bare model where it names none. */
    public static Task of(ModelConfig config) {
      Optional<String> name = config.architectures().stream().findFirst();
      if (name.isEmpty()) {
        return BARE;
      }
      for (Task task : values()) {
        if (task.names(name.get())) {
          return task;
        }
      }
      throw new ModelException.Unsupported(
          "found model class "
              + name.get()
              + " in "
              + config.path()
              + ", expected one that ends in Model, ForMaskedLM, ForSequenceClassification or"
              + " ForTokenClassification; other heads are not read yet");
    }
  }
}
