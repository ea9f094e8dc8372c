package io.trimtab.delta.shira;

import com.google.auto.service.AutoService;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.Options;
import io.trimtab.delta.PeftFields;
import io.trimtab.delta.Presets;
import io.trimtab.delta.Targets;
import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Linear;
import io.trimtab.model.Model;
import java.util.Map;
import java.util.OptionalInt;

/** Registers SHiRA, and reads its settings as users type them and as PEFT stores them. */
@AutoService(DeltaMethod.class)
public final class ShiraMethod implements DeltaMethod {
  private static final int USUAL_RANK = 32;

  @Override
  public String name() {
    return "shira";
  }

  @Override
  public String peftType() {
    return "SHIRA";
  }

  @Override
  public String paper() {
    return "Bhardwaj et al., Sparse High Rank Adapters, 2024";
  }

  @Override
  public double defaultRate() {
    return 1e-3;
  }

  @Override
  public Presets presets() {
    return Presets.NONE.with("peft", "rank=32 mask=random");
  }

  @Override
  public DeltaSpec fromOptions(Map<String, String> typed, Model model) {
    Options options = new Options(this, typed);
    Targets targets = Targets.fromOptions(options, Targets.queriesAndValues(model));
    String mask = options.text("mask", Shira.Mask.RANDOM.text());
    int seed = options.integer("seed", 0);
    int rank = options.integer("rank", 0);
    options.checkAllUsed();
    if (mask.equals(Shira.Mask.MAGNITUDE.text()) && options.has("seed")) {
      throw new DeltaException(
          "found seed for shira with mask=magnitude, expected it with mask=random only; leave it"
              + " out");
    }
    return new Shira(
        options.has("rank") ? rank : fitting(targets, model),
        switch (mask) {
          case "random" -> Shira.Mask.RANDOM;
          case "magnitude" -> Shira.Mask.MAGNITUDE;
          default ->
              throw new DeltaException(
                  "found mask=" + mask + " for shira, expected random or magnitude");
        },
        options.has("seed") ? OptionalInt.of(seed) : OptionalInt.empty(),
        targets);
  }

  /** 32, or less where that would be more than a quarter of the smallest weight. */
  private int fitting(Targets targets, Model model) {
    long rank = USUAL_RANK;
    for (Linear linear : targets.linears(model, name())) {
      long in = linear.weight().in();
      long out = linear.weight().out();
      rank = Math.min(rank, in * out / (in + out) / 4);
    }
    return (int) Math.max(1, rank);
  }

  @Override
  public DeltaSpec fromConfig(ModelConfig config, Model model) {
    PeftFields.refuse(config, "SHiRA", "fan_in_fan_out");
    String mask = config.text("mask_type", Shira.Mask.RANDOM.text());
    return new Shira(
        config.integer("r", USUAL_RANK),
        switch (mask) {
          case "random" -> Shira.Mask.RANDOM;
          case "magnitude" -> Shira.Mask.MAGNITUDE;
          default -> Shira.Mask.STORED;
        },
        config.has("random_seed")
            ? OptionalInt.of(config.integer("random_seed"))
            : OptionalInt.empty(),
        Targets.fromConfig(config));
  }
}
