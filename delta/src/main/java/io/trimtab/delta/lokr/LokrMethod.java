package io.trimtab.delta.lokr;

import com.google.auto.service.AutoService;
import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.LycorisDropout;
import io.trimtab.delta.Options;
import io.trimtab.delta.Presets;
import io.trimtab.delta.RankPatterns;
import io.trimtab.delta.Targets;
import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Model;
import java.util.Map;

/** Registers LoKr, and reads its settings as users type them and as PEFT stores them. */
@AutoService(DeltaMethod.class)
public final class LokrMethod implements DeltaMethod {
  @Override
  public String name() {
    return "lokr";
  }

  @Override
  public String peftType() {
    return "LOKR";
  }

  @Override
  public String paper() {
    return "Yeh et al., Navigating Text-To-Image Customization: From LyCORIS Fine-Tuning to Model"
        + " Evaluation, 2023";
  }

  @Override
  public double defaultRate() {
    return 3e-3;
  }

  @Override
  public Presets presets() {
    return Presets.NONE.with("peft", "rank=8 alpha=8 factor=-1 both=false");
  }

  @Override
  public DeltaSpec fromOptions(Map<String, String> typed, Model model) {
    Options options = new Options(this, typed);
    int rank = options.integer("rank", 8);
    Lokr lokr =
        Lokr.rank(rank)
            .alpha(options.decimal("alpha", rank))
            .factor(options.integer("factor", -1))
            .both(options.flag("both", false))
            .dropout(
                new LycorisDropout(
                    options.decimal("rank-dropout", 0),
                    options.flag("rank-dropout-scale", false),
                    options.decimal("module-dropout", 0)))
            .on(Targets.fromOptions(options, Targets.queriesAndValues(model)));
    options.checkAllUsed();
    return lokr;
  }

  @Override
  public DeltaSpec fromConfig(ModelConfig config, Model model) {
    return new Lokr(
        config.integer("r", 8),
        config.decimal("alpha", 8),
        config.integer("decompose_factor", -1),
        config.flag("decompose_both", false),
        RankPatterns.fromConfig(config),
        new LycorisDropout(
            config.decimal("rank_dropout", 0),
            config.flag("rank_dropout_scale", false),
            config.decimal("module_dropout", 0)),
        Targets.fromConfig(config));
  }
}
