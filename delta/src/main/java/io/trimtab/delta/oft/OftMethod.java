package io.trimtab.delta.oft;

import com.google.auto.service.AutoService;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.Options;
import io.trimtab.delta.PeftFields;
import io.trimtab.delta.Presets;
import io.trimtab.delta.Targets;
import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Model;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Registers OFT, and reads its settings as users type them and as PEFT stores them. */
@AutoService(DeltaMethod.class)
public final class OftMethod implements DeltaMethod {
  static final int USUAL_TERMS = 5;
  static final double USUAL_RADIUS = 6e-5;

  /** The release of PEFT from which on the terms of the Neumann series mean what they do here. */
  static final String SINCE = "0.18.0";

  private static final int USUAL_SIZE = 32;
  private static final Pattern VERSION = Pattern.compile("0\\.(\\d+).*");

  @Override
  public String name() {
    return "oft";
  }

  @Override
  public String peftType() {
    return "OFT";
  }

  @Override
  public String paper() {
    return "Qiu et al., Controlling Text-to-Image Diffusion by Orthogonal Finetuning, 2023";
  }

  @Override
  public double defaultRate() {
    return 1e-3;
  }

  @Override
  public Presets presets() {
    // Sizes and terms are PEFT's own without being said, and give way to what is typed instead.
    return Presets.NONE.with("peft", "cayley_neumann=true coft=false block_share=false dropout=0");
  }

  @Override
  public DeltaSpec fromOptions(Map<String, String> typed, Model model) {
    Options options = new Options(this, typed);
    int blocks = options.integer("r", 0);
    int size = options.integer("block_size", blocks == 0 ? USUAL_SIZE : 0);
    boolean series = options.flag("cayley_neumann", true);
    int terms = options.integer("terms", USUAL_TERMS);
    boolean coft = options.flag("coft", false);
    double radius = options.decimal("eps", USUAL_RADIUS);
    boolean chosen = options.has("r") || options.has("block_size");
    checkMeant(options, "terms", series, "cayley_neumann=true");
    checkMeant(options, "eps", coft, "coft=true");
    Oft oft =
        new Oft(
            size,
            blocks,
            options.flag("block_share", false),
            series ? atLeastTwo(terms) : 0,
            coft ? above(radius) : 0,
            options.decimal("dropout", 0),
            !chosen,
            Targets.fromOptions(options, Targets.queriesAndValues(model)));
    options.checkAllUsed();
    return oft;
  }

  private static void checkMeant(Options options, String key, boolean used, String needed) {
    if (options.has(key) && !used) {
      throw new DeltaException(
          "found "
              + key
              + "="
              + options.text(key, "")
              + " for oft without "
              + needed
              + ", expected both; without it "
              + key
              + " does nothing");
    }
  }

  private static int atLeastTwo(int terms) {
    if (terms < 2) {
      throw new DeltaException(
          "found terms="
              + terms
              + " for oft, expected at least 2, since 1 rotates nothing; 5 is usual");
    }
    return terms;
  }

  private static double above(double radius) {
    if (!(radius > 0)) {
      throw new DeltaException("found eps=" + radius + " for oft, expected a number above 0");
    }
    return radius;
  }

  @Override
  public DeltaSpec fromConfig(ModelConfig config, Model model) {
    PeftFields.refuse(config, "OFT", "fan_in_fan_out");
    boolean series = config.flag("use_cayley_neumann", true);
    if (!config.has("oft_block_size") || (series && !isSince(config.text("peft_version", "")))) {
      throw new DeltaException.Unsupported(
          "found an OFT delta of PEFT before "
              + SINCE
              + " in "
              + config.path()
              + ", expected peft_version "
              + SINCE
              + " or later; older ones mean another rotation, train it again");
    }
    // Both are written whether they mean anything or not.
    int terms = config.integer("num_cayley_neumann_terms", USUAL_TERMS);
    double radius = config.decimal("eps", USUAL_RADIUS);
    return new Oft(
        config.integer("oft_block_size"),
        config.integer("r", 0),
        config.flag("block_share", false),
        series ? Math.max(1, terms) : 0,
        config.flag("coft", false) ? above(radius) : 0,
        config.decimal("module_dropout", 0),
        true,
        Targets.fromConfig(config));
  }

  private static boolean isSince(String version) {
    Matcher minor = VERSION.matcher(version);
    return minor.matches() ? Integer.parseInt(minor.group(1)) >= 18 : !version.isEmpty();
  }
}
