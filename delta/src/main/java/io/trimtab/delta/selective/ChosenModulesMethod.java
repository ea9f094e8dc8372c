package io.trimtab.delta.selective;

import com.google.auto.service.AutoService;
import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.Options;
import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Block;
import io.trimtab.model.Model;
import java.util.Map;

/** Registers {@link ChosenModules}. */
@AutoService(DeltaMethod.class)
public final class ChosenModulesMethod implements DeltaMethod {
  @Override
  public String name() {
    return "modules";
  }

  @Override
  public String peftType() {
    return "TRIMTAB_MODULES"; // PEFT has no such method, so its files are Trimtab's own
  }

  @Override
  public String paper() {
    return "none: whatever part of a model one wants to train";
  }

  @Override
  public double defaultRate() {
    return 1e-4;
  }

  @Override
  public DeltaSpec fromOptions(Map<String, String> typed, Model model) {
    Options options = new Options(this, typed);
    ChosenModules modules = new ChosenModules(options.text("targets", lastBlock(model)));
    options.checkAllUsed();
    return modules;
  }

  /** A choice that every model has. */
  private static String lastBlock(Model model) {
    return model
        .root()
        .walk()
        .filter(Block.class::isInstance)
        .reduce((_, later) -> later)
        .orElseThrow()
        .path();
  }

  @Override
  public DeltaSpec fromConfig(ModelConfig config, Model model) {
    return new ChosenModules(config.text("targets"));
  }
}
