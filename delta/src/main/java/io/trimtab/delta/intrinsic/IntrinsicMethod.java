package io.trimtab.delta.intrinsic;

import com.google.auto.service.AutoService;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.Options;
import io.trimtab.delta.Targets;
import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Model;
import java.util.List;
import java.util.Map;

/** Registers intrinsic dimension, whose files are Trimtab's own: PEFT does not have it. */
@AutoService(DeltaMethod.class)
public final class IntrinsicMethod implements DeltaMethod {
  private static final int USUAL_DIMENSION = 1000;

  @Override
  public String name() {
    return "intrinsic";
  }

  @Override
  public String peftType() {
    return "TRIMTAB_INTRINSIC";
  }

  @Override
  public String paper() {
    return "Aghajanyan et al., Intrinsic Dimensionality Explains the Effectiveness of Language"
        + " Model Fine-Tuning, 2020";
  }

  @Override
  public double defaultRate() {
    return 1e-2;
  }

  @Override
  public List<String> sizeFields() {
    return List.of("intrinsic_dimension");
  }

  @Override
  public DeltaSpec fromOptions(Map<String, String> typed, Model model) {
    Options options = new Options(this, typed);
    Intrinsic intrinsic =
        new Intrinsic(
            options.integer("dimension", USUAL_DIMENSION),
            options.flag("structured", true),
            options.integer("seed", 0),
            Targets.fromOptions(options, Targets.queriesAndValues(model)));
    options.checkAllUsed();
    return intrinsic;
  }

  @Override
  public DeltaSpec fromConfig(ModelConfig config, Model model) {
    if (!config.has("seed")) {
      throw new DeltaException.Unsupported(
          "found no seed in "
              + config.path()
              + ", expected the number that the random maps are drawn from; without it the weights"
              + " cannot be found again");
    }
    return new Intrinsic(
        config.integer("intrinsic_dimension"),
        config.flag("structured"),
        config.integer("seed"),
        Targets.fromConfig(config));
  }
}
