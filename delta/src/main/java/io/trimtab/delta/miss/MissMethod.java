package io.trimtab.delta.miss;

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
import java.util.List;
import java.util.Map;

/** Registers MiSS, and reads its settings as users type them and as PEFT stores them. */
@AutoService(DeltaMethod.class)
public final class MissMethod implements DeltaMethod {
  /** The rank of the paper and of PEFT, for layers that are large enough. */
  private static final int USUAL = 64;

  @Override
  public String name() {
    return "miss";
  }

  @Override
  public String peftType() {
    return "MISS";
  }

  @Override
  public String paper() {
    return "Kang and Yin, MiSS: Revisiting the Trade-off in LoRA with an Efficient Shard-Sharing"
        + " Structure, 2024";
  }

  @Override
  public double defaultRate() {
    return 1e-3;
  }

  @Override
  public Presets presets() {
    return Presets.NONE.with("peft", "rank=64 variant=shared dropout=0");
  }

  @Override
  public DeltaSpec fromOptions(Map<String, String> typed, Model model) {
    Options options = new Options(this, typed);
    Targets targets = Targets.fromOptions(options, Targets.queriesAndValues(model));
    Miss.Variant variant = variant(options.text("variant", "shared"));
    List<Linear> layers = targets.linears(model, "MiSS");
    Miss miss =
        new Miss(
            options.integer("rank", usualRank(layers, variant)),
            variant,
            options.integer("mini", variant == Miss.Variant.MINI ? usualMini(layers) : 1),
            options.decimal("dropout", 0),
            targets);
    options.checkAllUsed();
    return miss;
  }

  private static Miss.Variant variant(String text) {
    return switch (text) {
      case "shared" -> Miss.Variant.SHARED;
      case "bat" -> Miss.Variant.BAT;
      case "mini" -> Miss.Variant.MINI;
      default ->
          throw new DeltaException(
              "found variant=" + text + " for miss, expected shared, bat or mini");
    };
  }

  private static int usualRank(List<Linear> layers, Miss.Variant variant) {
    if (variant == Miss.Variant.BAT) {
      return divisor(
          layers.stream()
              .mapToLong(layer -> gcd(layer.weight().in(), layer.weight().out()))
              .reduce(0, MissMethod::gcd));
    }
    return (int) layers.stream().mapToLong(layer -> layer.weight().in()).reduce(USUAL, Math::min);
  }

  private static int usualMini(List<Linear> layers) {
    return divisor(
        layers.stream().mapToLong(layer -> layer.weight().out()).reduce(0, MissMethod::gcd));
  }

  /** The largest divisor up to the usual rank. */
  private static int divisor(long size) {
    int divisor = USUAL;
    while (size % divisor != 0) {
      divisor--;
    }
    return divisor;
  }

  private static long gcd(long a, long b) {
    return b == 0 ? a : gcd(b, a % b);
  }

  @Override
  public DeltaSpec fromConfig(ModelConfig config, Model model) {
    PeftFields.refuse(config, "MiSS");
    boolean named = config.isText("init_weights");
    return new Miss(
        config.integer("r", USUAL),
        named ? variant(config.text("init_weights")) : Miss.Variant.SHARED,
        config.integer("mini_r", 1),
        // PEFT lets a dropout stand that bat never applies.
        named && config.text("init_weights").equals("bat") ? 0 : config.decimal("miss_dropout", 0),
        Targets.fromConfig(config));
  }
}
