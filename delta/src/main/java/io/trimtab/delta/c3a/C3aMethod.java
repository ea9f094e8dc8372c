package io.trimtab.delta.c3a;

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
import java.math.BigInteger;
import java.util.Map;

/** Registers C3A, and reads its settings as users type them and as PEFT stores them. */
@AutoService(DeltaMethod.class)
public final class C3aMethod implements DeltaMethod {
  private static final int USUAL_SIZE = 256;

  @Override
  public String name() {
    return "c3a";
  }

  @Override
  public String peftType() {
    return "C3A";
  }

  @Override
  public String paper() {
    return "Chen et al., Parameter-Efficient Fine-Tuning via Circular Convolution, 2024";
  }

  @Override
  public double defaultRate() {
    return 1e-1;
  }

  @Override
  public Presets presets() {
    return Presets.NONE.with("peft", "block_size=256 start=xavier_uniform");
  }

  @Override
  public DeltaSpec fromOptions(Map<String, String> typed, Model model) {
    Options options = new Options(this, typed);
    Targets targets = Targets.fromOptions(options, Targets.queriesAndValues(model));
    int size = options.integer("block_size", 0);
    C3a.Start start = start(options.text("start", C3a.Start.ZERO.text()));
    options.checkAllUsed();
    int fitting = options.has("block_size") ? size : fitting(targets, model);
    return new C3a(fitting, SizePattern.NONE, start, targets);
  }

  /** The largest divisor of 256 that divides the inputs and outputs of every layer. */
  private int fitting(Targets targets, Model model) {
    BigInteger size = BigInteger.valueOf(USUAL_SIZE);
    for (Linear linear : targets.linears(model, name())) {
      size = size.gcd(BigInteger.valueOf(linear.weight().in()));
      size = size.gcd(BigInteger.valueOf(linear.weight().out()));
    }
    return size.intValueExact();
  }

  private static C3a.Start start(String text) {
    for (C3a.Start start : C3a.Start.values()) {
      if (start.text().equals(text)) {
        return start;
      }
    }
    throw new DeltaException(
        "found start="
            + text
            + " for c3a, expected zero, xavier_uniform, kaiming_uniform or gaussian");
  }

  @Override
  public DeltaSpec fromConfig(ModelConfig config, Model model) {
    PeftFields.refuse(config, "C3A");
    C3a.Start start = C3a.Start.ZERO;
    if (config.isText("init_weights")) {
      start = start(config.text("init_weights"));
    } else if (!config.flag("init_weights", false)) {
      start = C3a.Start.XAVIER_UNIFORM; // PEFT's false
    }
    return new C3a(
        config.integer("block_size", USUAL_SIZE),
        SizePattern.fromConfig(config, "block_size_pattern"),
        start,
        Targets.fromConfig(config));
  }
}
