package io.trimtab.delta.hra;

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

/** Registers HRA, and reads its settings as users type them and as PEFT stores them. */
@AutoService(DeltaMethod.class)
public final class HraMethod implements DeltaMethod {
  private static final int USUAL_RANK = 8;

  @Override
  public String name() {
    return "hra";
  }

  @Override
  public String peftType() {
    return "HRA";
  }

  @Override
  public String paper() {
    return "Yuan et al., Bridging The Gap between Low-rank and Orthogonal Adaptation via"
        + " Householder Reflection Adaptation, 2024";
  }

  @Override
  public double defaultRate() {
    return 1e-3;
  }

  @Override
  public Presets presets() {
    return Presets.NONE.with("peft", "rank=8 orthogonal=false");
  }

  @Override
  public DeltaSpec fromOptions(Map<String, String> typed, Model model) {
    Options options = new Options(this, typed);
    Hra hra =
        new Hra(
            options.integer("rank", USUAL_RANK),
            options.flag("orthogonal", false),
            Targets.fromOptions(options, Targets.queriesAndValues(model)));
    options.checkAllUsed();
    if (hra.rank() % 2 == 1 && !hra.orthogonal()) {
      throw new DeltaException(
          "found rank="
              + hra.rank()
              + " for hra, expected an even one: reflections start in pairs that cancel, and an odd"
              + " one would not start from the base; take "
              + (hra.rank() + 1));
    }
    return hra;
  }

  @Override
  public DeltaSpec fromConfig(ModelConfig config, Model model) {
    PeftFields.refuse(config, "HRA");
    return new Hra(
        config.integer("r", USUAL_RANK),
        config.flag("apply_GS", false),
        Targets.fromConfig(config));
  }
}
