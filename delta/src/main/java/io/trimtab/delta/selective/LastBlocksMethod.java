package io.trimtab.delta.selective;

import com.google.auto.service.AutoService;
import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.Options;
import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Model;
import java.util.Map;

/** Registers {@link LastBlocks}. */
@AutoService(DeltaMethod.class)
public final class LastBlocksMethod implements DeltaMethod {
  @Override
  public String name() {
    return "last-k";
  }

  @Override
  public String peftType() {
    return "TRIMTAB_LAST_K"; // PEFT has no such method, so its files are Trimtab's own
  }

  @Override
  public String paper() {
    return "Lee, Tang and Lin, What Would Elsa Do? Freezing Layers During Transformer Fine-Tuning,"
        + " 2019";
  }

  @Override
  public double defaultRate() {
    return 1e-4;
  }

  @Override
  public DeltaSpec fromOptions(Map<String, String> typed, Model model) {
    Options options = new Options(this, typed);
    LastBlocks last = new LastBlocks(options.integer("k", 1));
    options.checkAllUsed();
    return last;
  }

  @Override
  public DeltaSpec fromConfig(ModelConfig config, Model model) {
    return new LastBlocks(config.integer("blocks"));
  }
}
