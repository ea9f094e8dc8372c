package io.trimtab.delta;

import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Head;
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

  /** The field that says what the model's head is for. */
  public static final String TASK = "task_type";

  private static final String TRANSPOSED_FIELD = "fan_in_fan_out";

  /**
   * What files of PEFT say that changes no result of a trained adapter: where it comes from, how it
   * began, how it was trained, and how PEFT computes it.
   */
  private static final Set<String> HARMLESS =
      Set.of(
          "peft_type",
          "peft_version",
          TASK,
          "auto_mapping",
          "base_model_name_or_path",
          "revision",
          "inference_mode",
          "runtime_config",
          "megatron_config",
          "megatron_core",
          // how it began
          "init_lora_weights",
          "init_weights",
          "init_ia3_weights",
          "d_initial",
          "loftq_config",
          "eva_config",
          "corda_config",
          "lora_ga_config",
          "prompt_tuning_init",
          "prompt_tuning_init_text",
          "tokenizer_name_or_path",
          "tokenizer_kwargs",
          "projection_prng_key",
          "random_seed",
          // how it was trained
          "lora_dropout",
          "rank_dropout",
          "rank_dropout_scale",
          "module_dropout",
          "encoder_dropout",
          "tinit",
          "tfinal",
          "deltaT",
          "total_step",
          "beta1",
          "beta2",
          "orth_reg_weight",
          // of the network that made a prompt, which is not in the file, and of the base
          "encoder_reparameterization_type",
          "encoder_hidden_size",
          "encoder_num_layers",
          "prefix_projection",
          "token_dim",
          "num_layers",
          "num_attention_heads",
          // sizes that mean something where another field, which is refused, is on
          "qalora_group_size");

  private PeftFields() {}

  /**
   * Refuses fields that nobody asked for, unless they are known to change nothing or say nothing: a
   * newer version may compute something else where one is on.
   *
   * @param asked what the method's reader asked for
   * @throws DeltaException.Unsupported which names all of them
   */
  static void checkAsked(ModelConfig config, Set<String> asked) {
    List<String> unknown =
        config.fields().stream()
            .filter(field -> !asked.contains(field) && !HARMLESS.contains(field))
            .filter(field -> !config.isOff(field))
            .sorted()
            .toList();
    if (!unknown.isEmpty()) {
      throw new DeltaException.Unsupported(
          "found "
              + String.join(", ", unknown)
              + " in "
              + config.path()
              + ", expected only fields of "
              + config.text("peft_type")
              + " that are known; where they change no result take them out of the file, else"
              + " merge the adapter with the program that wrote it");
    }
  }

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

  /** Refuses a prompt or prefix that was made for a model of another number of stacks. */
  public static void checkStacks(ModelConfig config, Model model) {
    int submodules = config.integer("num_transformer_submodules", 1);
    int stacks = model.stacks().size();
    if (submodules != stacks) {
      throw new DeltaException.Unsupported(
          "found num_transformer_submodules "
              + submodules
              + " in "
              + config.path()
              + ", expected "
              + stacks
              + ", which is how many stacks "
              + model.name()
              + " has; the file is for a model of another kind");
    }
  }

  /** Refuses sizes, those of a composition's members too, that a file cannot fill. */
  static void checkSizes(ModelConfig config, Model model, FileSizes file) {
    file.check(config, DeltaMethods.of(config).sizeFields());
    file.checkReduced(config, model.blocks().getFirst().hiddenSize());
    if (config.has("rank_pattern")) {
      ModelConfig ranks = config.section("rank_pattern");
      file.check(ranks, ranks.fields());
    }
    if (config.has("children")) {
      config.sections("children").forEach(child -> checkSizes(child.section("delta"), model, file));
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

  /**
   * What PEFT calls a model's head. It puts prompts and prefixes before a model by this word alone:
   * without it they are loaded, but left out of what is computed.
   *
   * @param saved the modules whose weights are in the file. For a classifier by name PEFT wants
   *     those of the head there; where they are not, the model is one that gives on what it is
   *     given
   */
  public static String task(Model model, List<String> saved) {
    if (saved.contains("classifier") || saved.contains("score")) {
      return model.head(Head.TokenClassifier.class).isPresent() ? "TOKEN_CLS" : "SEQ_CLS";
    }
    if (model.head(Head.CausalLm.class).isPresent()) {
      return model.isEncoderDecoder() ? "SEQ_2_SEQ_LM" : "CAUSAL_LM";
    }
    return "FEATURE_EXTRACTION";
  }
}
