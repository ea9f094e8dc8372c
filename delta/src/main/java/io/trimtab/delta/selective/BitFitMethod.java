package io.trimtab.delta.selective;

import com.google.auto.service.AutoService;
import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.Options;
import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Model;
import java.util.Map;

/** Registers {@link Selective#biases()}. */
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
  public DeltaSpec fromOptions(Map<String, String> options, Model model) {
    new Options(name(), options).checkAllUsed();
    return Selective.biases();
  }

  @Override
  public DeltaSpec fromConfig(ModelConfig config, Model model) {
    return Selective.biases();
  }
}
