package io.trimtab.delta.selective;

import com.google.auto.service.AutoService;
import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.Options;
import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Model;
import java.util.Map;

/** Registers {@link FullTuning}. */
@AutoService(DeltaMethod.class)
public final class FullMethod implements DeltaMethod {
  @Override
  public String name() {
    return "full";
  }

  @Override
  public String peftType() {
    return "TRIMTAB_FULL"; // PEFT has no such method, so its files are Trimtab's own
  }

  @Override
  public String paper() {
    return "the baseline of every study of delta tuning";
  }

  @Override
  public double defaultRate() {
    return 3e-5;
  }

  @Override
  public DeltaSpec fromOptions(Map<String, String> options, Model model) {
    new Options(this, options).checkAllUsed();
    return Selective.all();
  }

  @Override
  public DeltaSpec fromConfig(ModelConfig config, Model model) {
    return Selective.all();
  }
}
