package io.trimtab.delta.lora;

import io.trimtab.delta.DeltaException;
import io.trimtab.delta.PeftFields;
import io.trimtab.delta.RankPatterns;
import io.trimtab.delta.Targets;
import io.trimtab.delta.tokens.TrainableTokens;
import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Model;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** LoRA's settings as the fields of PEFT's {@code adapter_config.json}. */
final class LoraConfig {
  /** Starts after which the base is as it was; the matrices are in the file anyway. */
  private static final Set<String> KEEPING =
      Set.of("true", "false", "gaussian", "orthogonal", "eva");

  private LoraConfig() {}

  static Lora read(ModelConfig config) {
    refuseWhatIsNotComputed(config);
    LoraScaling scaling =
        new LoraScaling(
            config.integer("r", 8),
            config.decimal("lora_alpha", 8),
            config.flag("use_rslora", false),
            RankPatterns.fromConfig(config));
    Lora lora =
        Lora.rank(1)
            .scaled(scaling)
            .on(Targets.fromConfig(config))
            .dropout(config.decimal("lora_dropout", 0))
            .bias(AdaptedBiases.parse(config.text("bias", "none")))
            .outputBias(config.flag("lora_bias", false))
            .dora(config.flag("use_dora", false))
            .gated(config.text("peft_type", "").equals(LoraMethod.GATED))
            .tokens(tokens(config))
            .headWithoutBias(
                !tokens(config).isEmpty() && !config.flag(TrainableTokens.HEAD_BIAS, false));
    String start = start(config);
    if (KEEPING.contains(start)) {
      return lora;
    }
    LoraStart named = LoraStart.named(start);
    return named == Starts.MICA ? lora.start(named).training(Lora.Trained.A) : lora.start(named);
  }

  private static String start(ModelConfig config) {
    return config.isText("init_lora_weights")
        ? config.text("init_lora_weights").toLowerCase(Locale.ROOT)
        : String.valueOf(config.flag("init_lora_weights", true));
  }

  /** A list means the input embedding, an object names embeddings. */
  static Map<String, List<Integer>> tokens(ModelConfig config) {
    String field = "trainable_token_indices";
    Map<String, List<Integer>> tokens = new LinkedHashMap<>();
    if (config.has(field)) {
      if (config.isList(field)) {
        tokens.put("", config.integers(field));
      } else {
        ModelConfig section = config.section(field);
        section.fields().forEach(key -> tokens.put(key, section.integers(key)));
      }
    }
    return tokens;
  }

  private static void refuseWhatIsNotComputed(ModelConfig config) {
    List<String> found = new ArrayList<>();
    for (String flag : List.of("use_qalora", "ensure_weight_tying")) {
      if (config.flag(flag, false)) {
        found.add(flag);
      }
    }
    for (String field :
        List.of(
            "target_parameters",
            "layer_replication",
            "alora_invocation_tokens",
            "arrow_config",
            "use_bdlora",
            "kasa_config",
            "velora_config",
            "monteclora_config")) {
      if (config.has(field) && !config.isEmptyList(field)) {
        found.add(field);
      }
    }
    String start = start(config);
    boolean computed = KEEPING.contains(start) || Set.of("pissa", "olora", "mica").contains(start);
    if (!computed) {
      found.add("init_lora_weights=" + start + " (the base it left behind is not in the file)");
    }
    if (!found.isEmpty()) {
      throw new DeltaException.Unsupported(
          "found "
              + String.join(", ", found)
              + " in "
              + config.path()
              + ", expected LoRA without; what this changes in the result is not computed");
    }
  }

  /** The fields of a delta whose starts are not subtracted; see {@link PlainLora}. */
  static Map<String, Object> write(Lora lora, Model model) {
    LoraScaling scaling = lora.scaling();
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("r", scaling.rank());
    config.put("lora_alpha", PeftFields.number(scaling.alpha()));
    config.put("lora_dropout", lora.dropout());
    config.put("use_rslora", scaling.stabilised());
    config.put("bias", lora.bias().name().toLowerCase(Locale.ROOT));
    config.put("lora_bias", lora.outputBias());
    PeftFields.writeFanInFanOut(model, config);
    config.put("init_lora_weights", true);
    config.put("use_dora", lora.dora());
    lora.targets().write(model, config);
    scaling.patterns().write(config);
    if (!lora.tokens().isEmpty()) {
      List<Integer> ofInput = lora.tokens().get("");
      config.put(
          "trainable_token_indices",
          ofInput != null && lora.tokens().size() == 1 ? ofInput : lora.tokens());
      if (!lora.headWithoutBias() && LoraTokens.tiedToBias(model, lora.tokens())) {
        config.put(TrainableTokens.HEAD_BIAS, true);
      }
    }
    return config;
  }
}
