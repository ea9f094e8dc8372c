package io.trimtab.delta.randlora;

import com.google.auto.service.AutoService;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.Options;
import io.trimtab.delta.PeftFields;
import io.trimtab.delta.Presets;
import io.trimtab.delta.Targets;
import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Model;
import java.util.Map;

/** Registers RandLoRA, and reads its settings as users type them and as PEFT stores them. */
@AutoService(DeltaMethod.class)
public final class RandLoraMethod implements DeltaMethod {
  @Override
  public String name() {
    return "randlora";
  }

  @Override
  public String peftType() {
    return "RANDLORA";
  }

  @Override
  public String paper() {
    return "Albert et al., RandLoRA: Full-Rank Parameter-Efficient Fine-Tuning of Large Models,"
        + " 2025";
  }

  @Override
  public double defaultRate() {
    return 1e-3;
  }

  @Override
  public Presets presets() {
    return Presets.NONE.with("peft", "rank=32 alpha=640 dropout=0 projection-seed=0");
  }

  @Override
  public DeltaSpec fromOptions(Map<String, String> typed, Model model) {
    Options options = new Options(this, typed);
    int rank = options.integer("rank", 32);
    RandLora lora =
        RandLora.rank(rank)
            .alpha(options.decimal("alpha", 20.0 * rank))
            .dropout(options.decimal("dropout", 0))
            .projectionSeed(options.integer("projection-seed", 0))
            .on(Targets.fromOptions(options, Targets.queriesAndValues(model)));
    options.checkAllUsed();
    return lora;
  }

  @Override
  public DeltaSpec fromConfig(ModelConfig config, Model model) {
    PeftFields.checkFanInFanOut(config, model);
    PeftFields.refuse(config, "RandLoRA", "sparse", "very_sparse");
    if (!config.flag("save_projection", true)) {
      throw new DeltaException.Unsupported(
          "found save_projection=false in "
              + config.path()
              + ", expected the bases randlora_A and randlora_B in the file, since they depend on"
              + " torch's random numbers; save the adapter again with save_projection=True");
    }
    return new RandLora(
        config.integer("r", 32),
        config.decimal("randlora_alpha", 640),
        config.decimal("randlora_dropout", 0),
        config.integer("projection_prng_key", 0),
        Targets.fromConfig(config));
  }
}
