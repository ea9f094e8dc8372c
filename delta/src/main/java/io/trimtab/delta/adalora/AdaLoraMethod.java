package io.trimtab.delta.adalora;

import com.google.auto.service.AutoService;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.Options;
import io.trimtab.delta.PeftFields;
import io.trimtab.delta.Presets;
import io.trimtab.delta.Targets;
import io.trimtab.delta.lora.AdaptedBiases;
import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Model;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Registers AdaLoRA, and reads its settings as users type them and as PEFT stores them. */
@AutoService(DeltaMethod.class)
public final class AdaLoraMethod implements DeltaMethod {
  private static final String SUFFIX = ".lora_E";

  @Override
  public String name() {
    return "adalora";
  }

  @Override
  public String peftType() {
    return "ADALORA";
  }

  @Override
  public String paper() {
    return "Zhang et al., Adaptive Budget Allocation for Parameter-Efficient Fine-Tuning, 2023";
  }

  @Override
  public double defaultRate() {
    return 1e-3;
  }

  @Override
  public Presets presets() {
    return Presets.NONE.with(
        "peft",
        "rank=8 initial=12 alpha=8 dropout=0 warmup=0 finish=0 interval=1 beta1=0.85 beta2=0.85"
            + " orthogonality=0.5");
  }

  @Override
  public List<String> sizeFields() {
    return List.of("init_r", "target_r");
  }

  @Override
  public DeltaSpec fromOptions(Map<String, String> typed, Model model) {
    Options options = new Options(this, typed);
    int target = options.integer("rank", 8);
    AdaLora adaLora =
        AdaLora.ranks(options.integer("initial", Math.addExact(target, target / 2)), target)
            .alpha(options.decimal("alpha", 2.0 * target))
            .dropout(options.decimal("dropout", 0))
            .bias(AdaptedBiases.parse(options.text("bias", "none")))
            .budget(
                new Budget(
                    options.integer("warmup", 0),
                    options.integer("finish", 0),
                    options.integer("interval", 1),
                    options.integer("steps", 0)))
            .smoothing(options.decimal("beta1", 0.85), options.decimal("beta2", 0.85))
            .orthogonality(options.decimal("orthogonality", 0.5))
            .on(Targets.fromOptions(options, Targets.queriesAndValues(model)));
    options.checkAllUsed();
    return adaLora;
  }

  @Override
  public DeltaSpec fromConfig(ModelConfig config, Model model) {
    for (String field :
        List.of("trainable_token_indices", "target_parameters", "layer_replication")) {
      if (config.has(field)) {
        throw new DeltaException.Unsupported(
            "found "
                + field
                + " in "
                + config.path()
                + ", expected AdaLoRA without; what this changes in the result is not computed");
      }
    }
    PeftFields.checkFanInFanOut(config, model);
    config.integer("r", 0); // LoRA's, which PEFT writes and AdaLoRA has no use for
    int warmup = config.integer("tinit", 0);
    int finish = config.integer("tfinal", 0);
    int steps = config.integer("total_step", 0);
    // The fewest steps that PEFT takes are what is written where none are known.
    boolean known = steps > warmup + finish + 1;
    return AdaLora.ranks(config.integer("init_r", 12), config.integer("target_r", 8))
        .alpha(config.decimal("lora_alpha", 8))
        .dropout(config.decimal("lora_dropout", 0))
        .bias(AdaptedBiases.parse(config.text("bias", "none")))
        .budget(new Budget(warmup, finish, config.integer("deltaT", 1), known ? steps : 0))
        .smoothing(config.decimal("beta1", 0.85), config.decimal("beta2", 0.85))
        .orthogonality(config.decimal("orth_reg_weight", 0.5))
        .keeping(kept(config))
        .on(Targets.fromConfig(config));
  }

  private static Map<String, List<Boolean>> kept(ModelConfig config) {
    Map<String, List<Boolean>> kept = new LinkedHashMap<>();
    if (config.has("rank_pattern")) {
      ModelConfig section = config.section("rank_pattern");
      for (String key : section.fields()) {
        if (!key.endsWith(SUFFIX)) {
          throw new DeltaException(
              "found rank_pattern for "
                  + key
                  + " in "
                  + config.path()
                  + ", expected the name of a layer and "
                  + SUFFIX);
        }
        kept.put(key.substring(0, key.length() - SUFFIX.length()), section.flags(key));
      }
    }
    return kept;
  }
}
