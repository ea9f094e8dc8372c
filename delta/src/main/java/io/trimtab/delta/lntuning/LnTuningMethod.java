package io.trimtab.delta.lntuning;

import com.google.auto.service.AutoService;
import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.Options;
import io.trimtab.delta.Presets;
import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Model;
import java.util.List;
import java.util.Map;

/** Registers LayerNorm tuning, and reads its settings as typed and as PEFT stores them. */
@AutoService(DeltaMethod.class)
public final class LnTuningMethod implements DeltaMethod {
  @Override
  public String name() {
    return "ln-tuning";
  }

  @Override
  public String peftType() {
    return "LN_TUNING";
  }

  @Override
  public String paper() {
    return "Zhao et al., Tuning LayerNorm in Attention: Towards Efficient Multi-Modal LLM"
        + " Finetuning, 2023";
  }

  @Override
  public double defaultRate() {
    return 1e-3;
  }

  @Override
  public Presets presets() {
    return Presets.NONE.with("peft", "");
  }

  @Override
  public DeltaSpec fromOptions(Map<String, String> typed, Model model) {
    Options options = new Options(this, typed);
    Norms norms = Norms.parse(options.text("targets", ""));
    List<String> save = options.texts("save");
    options.checkAllUsed();
    return new LnTuning(norms, save, false);
  }

  @Override
  public DeltaSpec fromConfig(ModelConfig config, Model model) {
    return new LnTuning(Norms.read(config), config.texts("modules_to_save"), true);
  }
}
