package io.trimtab.delta.road;

import com.google.auto.service.AutoService;
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

/** Registers RoAd, and reads its settings as users type them and as PEFT stores them. */
@AutoService(DeltaMethod.class)
public final class RoadMethod implements DeltaMethod {
  private static final int USUAL_GROUP = 64;

  @Override
  public String name() {
    return "road";
  }

  @Override
  public String peftType() {
    return "ROAD";
  }

  @Override
  public String paper() {
    return "Liao and Monz, 3-in-1: 2D Rotary Adaptation for Efficient Finetuning, Efficient"
        + " Batching and Composability, 2024";
  }

  @Override
  public double defaultRate() {
    return 3e-3;
  }

  @Override
  public Presets presets() {
    return Presets.NONE.with("peft", "variant=road_1 group_size=64");
  }

  @Override
  public DeltaSpec fromOptions(Map<String, String> typed, Model model) {
    Options options = new Options(this, typed);
    Road.Variant variant = Road.Variant.of(options.text("variant", Road.Variant.ROAD_1.text()));
    Targets targets = Targets.fromOptions(options, Targets.queriesAndValues(model));
    int group = options.integer("group_size", 0);
    options.checkAllUsed();
    return new Road(variant, options.has("group_size") ? group : fitting(targets, model), targets);
  }

  /** 64, or the half of it, or its half …, whichever first divides the outputs of every layer. */
  private int fitting(Targets targets, Model model) {
    int group = USUAL_GROUP;
    for (Linear linear : targets.linears(model, name())) {
      while (group > 2 && linear.weight().out() % group != 0) {
        group /= 2;
      }
    }
    return group;
  }

  @Override
  public DeltaSpec fromConfig(ModelConfig config, Model model) {
    PeftFields.refuse(config, "RoAd");
    return new Road(
        Road.Variant.of(config.text("variant", Road.Variant.ROAD_1.text())),
        config.integer("group_size", USUAL_GROUP),
        Targets.fromConfig(config));
  }
}
