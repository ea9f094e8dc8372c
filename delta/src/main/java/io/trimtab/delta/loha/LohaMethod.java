package io.trimtab.delta.loha;

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

/** Registers LoHa, and reads its settings as users type them and as PEFT stores them. */
@AutoService(DeltaMethod.class)
public final class LohaMethod implements DeltaMethod {
  @Override
  public String name() {
    return "loha";
  }

  @Override
  public String peftType() {
    return "LOHA";
  }

  @Override
  public String paper() {
    return "Hyeon-Woo et al., FedPara: Low-Rank Hadamard Product for Communication-Efficient"
        + " Federated Learning, 2021";
  }

  @Override
  public double defaultRate() {
    return 1e-3;
  }

  @Override
  public Presets presets() {
    return Presets.NONE.with("peft", "rank=8 alpha=8");
  }

  @Override
  public DeltaSpec fromOptions(Map<String, String> typed, Model model) {
    Options options = new Options(this, typed);
    int rank = options.integer("rank", 8);
    Loha loha =
        Loha.rank(rank)
            .alpha(options.decimal("alpha", rank))
            .dropout(
                new LycorisDropout(
                    options.decimal("rank-dropout", 0), true, options.decimal("module-dropout", 0)))
            .on(Targets.fromOptions(options, Targets.queriesAndValues(model)));
    options.checkAllUsed();
    return loha;
  }

  @Override
  public DeltaSpec fromConfig(ModelConfig config, Model model) {
    return new Loha(
        config.integer("r", 8),
        config.decimal("alpha", 8),
        RankPatterns.fromConfig(config),
        new LycorisDropout(
            config.decimal("rank_dropout", 0), true, config.decimal("module_dropout", 0)),
        Targets.fromConfig(config));
  }
}
