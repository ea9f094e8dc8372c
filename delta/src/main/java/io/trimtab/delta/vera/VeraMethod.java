package io.trimtab.delta.vera;

import com.google.auto.service.AutoService;
import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.Options;
import io.trimtab.delta.PeftFields;
import io.trimtab.delta.Presets;
import io.trimtab.delta.Targets;
import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Model;
import java.util.Map;

/** Registers VeRA, and reads its settings as users type them and as PEFT stores them. */
@AutoService(DeltaMethod.class)
public final class VeraMethod implements DeltaMethod {
  @Override
  public String name() {
    return "vera";
  }

  @Override
  public String peftType() {
    return "VERA";
  }

  @Override
  public String paper() {
    return "Kopiczko et al., VeRA: Vector-based Random Matrix Adaptation, 2023";
  }

  @Override
  public double defaultRate() {
    return 1e-2;
  }

  @Override
  public Presets presets() {
    return Presets.NONE
        .with("adapterhub", "rank=8 start=0.1 dropout=0")
        .with("peft", "rank=256 start=0.1 dropout=0 projection-seed=0");
  }

  @Override
  public DeltaSpec fromOptions(Map<String, String> typed, Model model) {
    Options options = new Options(this, typed);
    Vera vera =
        Vera.rank(options.integer("rank", 256))
            .start(options.decimal("start", 0.1))
            .dropout(options.decimal("dropout", 0))
            .projectionSeed(options.integer("projection-seed", 0))
            .projectionStored(options.flag("store-projection", true))
            .on(Targets.fromOptions(options, Targets.queriesAndValues(model)));
    options.checkAllUsed();
    return vera;
  }

  @Override
  public DeltaSpec fromConfig(ModelConfig config, Model model) {
    PeftFields.checkFanInFanOut(config, model);
    PeftFields.refuse(config, "VeRA");
    return new Vera(
        config.integer("r", 256),
        config.decimal("d_initial", 0.1),
        config.decimal("vera_dropout", 0),
        config.integer("projection_prng_key", 0),
        config.flag("save_projection", true),
        Targets.fromConfig(config));
  }
}
