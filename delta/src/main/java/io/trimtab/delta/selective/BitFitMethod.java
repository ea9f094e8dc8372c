package io.trimtab.delta.selective;

import com.google.auto.service.AutoService;
import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.Options;
import io.trimtab.delta.Presets;
import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Model;
import java.util.Map;

/** Registers {@link BitFit}, and reads its settings as users type them and as files hold them. */
@AutoService(DeltaMethod.class)
public final class BitFitMethod implements DeltaMethod {
  @Override
  public String name() {
    return "bitfit";
  }

  @Override
  public String peftType() {
    return "TRIMTAB_BITFIT"; // PEFT has no such method, so its files are Trimtab's own
  }

  @Override
  public String paper() {
    return "Ben Zaken et al., BitFit – Simple Parameter-efficient Fine-tuning for Transformer-based"
        + " Masked Language-models, 2021";
  }

  @Override
  public double defaultRate() {
    return 1e-3;
  }

  @Override
  public Presets presets() {
    return Presets.NONE.with("opendelta", "targets=@attn,@ff add=true").with("paper", "add=false");
  }

  /** Existing biases; where the model has none at all, added ones, as it would else do nothing. */
  @Override
  public DeltaSpec fromOptions(Map<String, String> typed, Model model) {
    Options options = new Options(this, typed);
    boolean none = model.tensors().keySet().stream().noneMatch(name -> name.endsWith("bias"));
    BitFit bitFit =
        new BitFit(
            options.text("targets", "").strip(),
            options.flag("add", none),
            options.texts("save"),
            false);
    options.checkAllUsed();
    return bitFit;
  }

  @Override
  public DeltaSpec fromConfig(ModelConfig config, Model model) {
    return new BitFit(
        config.text("targets", ""),
        config.flag("added", false),
        config.texts("modules_to_save"),
        true);
  }
}
