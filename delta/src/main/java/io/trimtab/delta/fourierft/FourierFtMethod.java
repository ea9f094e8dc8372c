package io.trimtab.delta.fourierft;

import com.google.auto.service.AutoService;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.Options;
import io.trimtab.delta.PeftFields;
import io.trimtab.delta.Presets;
import io.trimtab.delta.SizePattern;
import io.trimtab.delta.Targets;
import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Linear;
import io.trimtab.model.Model;
import java.util.List;
import java.util.Map;

/** Registers FourierFT, and reads its settings as users type them and as PEFT stores them. */
@AutoService(DeltaMethod.class)
public final class FourierFtMethod implements DeltaMethod {
  static final int USUAL_FREQUENCIES = 1000;
  static final double USUAL_SCALING = 150;
  static final int USUAL_SEED = 777;

  /** The weights that the authors found that scaling good for: those of BERT-base. */
  private static final double USUAL_ELEMENTS = 768.0 * 768.0;

  @Override
  public String name() {
    return "fourierft";
  }

  @Override
  public String peftType() {
    return "FOURIERFT";
  }

  @Override
  public String paper() {
    return "Gao et al., Parameter-Efficient Fine-Tuning with Discrete Fourier Transform, 2024";
  }

  @Override
  public double defaultRate() {
    return 3e-2;
  }

  @Override
  public Presets presets() {
    return Presets.NONE.with("peft", "frequencies=1000 scaling=150 seed=777 gaussian=true");
  }

  @Override
  public List<String> sizeFields() {
    return List.of("n_frequency");
  }

  @Override
  public DeltaSpec fromOptions(Map<String, String> typed, Model model) {
    Options options = new Options(this, typed);
    Targets targets = Targets.fromOptions(options, Targets.queriesAndValues(model));
    long smallest = Long.MAX_VALUE;
    for (Linear linear : targets.linears(model, name())) {
      smallest = Math.min(smallest, linear.weight().in() * linear.weight().out());
    }
    // An entry changes a weight by its share of all entries: small weights want less.
    double share = Math.min(1, smallest / USUAL_ELEMENTS);
    FourierFt fourier =
        new FourierFt(
            options.integer("frequencies", (int) Math.min(USUAL_FREQUENCIES, smallest)),
            SizePattern.NONE,
            options.decimal("scaling", USUAL_SCALING * share),
            options.integer("seed", USUAL_SEED),
            options.flag("gaussian", false),
            targets);
    options.checkAllUsed();
    return fourier;
  }

  @Override
  public DeltaSpec fromConfig(ModelConfig config, Model model) {
    PeftFields.refuse(config, "FourierFT", "fan_in_fan_out");
    if (config.fields().contains("random_loc_seed") && !config.has("random_loc_seed")) {
      throw new DeltaException.Unsupported(
          "found no random_loc_seed in "
              + config.path()
              + ", expected the number that the places of the frequencies are drawn from; without"
              + " it they cannot be found again");
    }
    return new FourierFt(
        config.integer("n_frequency", USUAL_FREQUENCIES),
        SizePattern.fromConfig(config, "n_frequency_pattern"),
        config.decimal("scaling", USUAL_SCALING),
        config.integer("random_loc_seed", USUAL_SEED),
        !config.flag("init_weights", false),
        Targets.fromConfig(config));
  }
}
