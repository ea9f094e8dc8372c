package io.trimtab.delta.lora;

import com.google.auto.service.AutoService;
import io.trimtab.delta.Address;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.Options;
import io.trimtab.delta.PeftTargets;
import io.trimtab.delta.Targets;
import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Model;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** Registers LoRA, and reads its settings as users type them and as PEFT stores them. */
@AutoService(DeltaMethod.class)
public final class LoraMethod implements DeltaMethod {
  /** Starts that leave the base as it is; others subtract something from it first. */
  private static final Set<String> PLAIN_STARTS = Set.of("true", "false", "gaussian", "orthogonal");

  @Override
  public String name() {
    return "lora";
  }

  @Override
  public String peftType() {
    return "LORA";
  }

  @Override
  public String paper() {
    return "Hu et al., LoRA: Low-Rank Adaptation of Large Language Models, 2021";
  }

  @Override
  public double defaultRate() {
    return 1e-3;
  }

  @Override
  public DeltaSpec fromOptions(Map<String, String> typed, Model model) {
    Options options = new Options(name(), typed);
    int rank = options.integer("rank", 8);
    Lora lora =
        Lora.rank(rank)
            .alpha(options.decimal("alpha", 2.0 * rank))
            .dropout(options.decimal("dropout", 0))
            .rankStabilised(options.flag("rslora", false))
            .bias(bias(options.text("bias", "none")))
            .on(Address.parse(options.text("targets", Targets.queriesAndValues(model))));
    options.checkAllUsed();
    return lora;
  }

  private static Lora.Bias bias(String text) {
    return switch (text) {
      case "none" -> Lora.Bias.NONE;
      case "all" -> Lora.Bias.ALL;
      case "lora_only" -> Lora.Bias.LORA_ONLY;
      default ->
          throw new DeltaException(
              "found bias \"" + text + "\" for LoRA, expected none, all or lora_only");
    };
  }

  @Override
  public DeltaSpec fromConfig(ModelConfig config, Model model) {
    refuseWhatChangesTheResult(config);
    Map<String, Integer> ranks = new LinkedHashMap<>();
    Map<String, Double> alphas = new LinkedHashMap<>();
    if (config.has("rank_pattern")) {
      ModelConfig section = config.section("rank_pattern");
      section.fields().forEach(key -> ranks.put(key, section.integer(key)));
    }
    if (config.has("alpha_pattern")) {
      ModelConfig section = config.section("alpha_pattern");
      section.fields().forEach(key -> alphas.put(key, section.decimal(key)));
    }
    return new Lora(
        config.integer("r", 8),
        config.decimal("lora_alpha", 8),
        config.decimal("lora_dropout", 0),
        config.flag("use_rslora", false),
        PeftTargets.read(config),
        bias(config.text("bias", "none").toLowerCase(Locale.ROOT)),
        config.flag("lora_bias", false),
        config.texts("modules_to_save"),
        ranks,
        alphas,
        true);
  }

  private static void refuseWhatChangesTheResult(ModelConfig config) {
    List<String> found = new ArrayList<>();
    for (String flag : List.of("use_dora", "use_qalora", "fan_in_fan_out", "ensure_weight_tying")) {
      if (config.flag(flag, false)) {
        found.add(flag);
      }
    }
    for (String field :
        List.of(
            "trainable_token_indices",
            "target_parameters",
            "layer_replication",
            "alora_invocation_tokens",
            "arrow_config",
            "use_bdlora",
            "kasa_config",
            "velora_config",
            "monteclora_config")) {
      if (config.has(field)) {
        found.add(field);
      }
    }
    String start =
        config.isText("init_lora_weights")
            ? config.text("init_lora_weights")
            : String.valueOf(config.flag("init_lora_weights", true));
    if (!PLAIN_STARTS.contains(start)) {
      found.add("init_lora_weights=" + start);
    }
    if (!found.isEmpty()) {
      throw new DeltaException.Unsupported(
          "found "
              + String.join(", ", found)
              + " in "
              + config.path()
              + ", expected plain LoRA; what this changes in the result is not computed yet");
    }
  }
}
