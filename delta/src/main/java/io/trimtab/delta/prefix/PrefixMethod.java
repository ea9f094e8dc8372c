package io.trimtab.delta.prefix;

import com.google.auto.service.AutoService;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.Options;
import io.trimtab.delta.PeftFields;
import io.trimtab.delta.Presets;
import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Model;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Registers prefix tuning, and reads its settings as users type them and as PEFT stores them. */
@AutoService(DeltaMethod.class)
public final class PrefixMethod implements DeltaMethod {
  /** The type of files of prefixes that PEFT has not: positions stay, or there are gates. */
  static final String OWN = "TRIMTAB_PREFIX";

  @Override
  public String name() {
    return "prefix";
  }

  @Override
  public String peftType() {
    return "PREFIX_TUNING";
  }

  @Override
  public Set<String> peftTypes() {
    return Set.of(peftType(), OWN);
  }

  @Override
  public String paper() {
    return "Li and Liang, Prefix-Tuning: Optimizing Continuous Prompts for Generation, 2021";
  }

  @Override
  public double defaultRate() {
    return 1e-2;
  }

  @Override
  public double startsWithin() {
    return 2;
  }

  @Override
  public Presets presets() {
    return Presets.NONE
        .with("adapterhub", "length=30 projection=512 positions=kept dropout=0")
        .with("opendelta", "length=6 projection=512 embedding=512 positions=kept dropout=0")
        .with("peft", "projection=0 positions=shifted");
  }

  @Override
  public List<String> sizeFields() {
    return List.of("num_virtual_tokens");
  }

  @Override
  public DeltaSpec fromOptions(Map<String, String> typed, Model model) {
    Options options = new Options(this, typed);
    int inner = options.integer("projection", 0);
    int embedded = options.integer("embedding", 0);
    List<Integer> start = options.integers("start");
    // A preset's network gives way to what is typed instead of it.
    if (!start.isEmpty() && !typed.containsKey("projection")) {
      inner = 0;
    }
    if (inner == 0 && !typed.containsKey("embedding")) {
      embedded = 0;
    }
    boolean gated = options.flag("use_gating", false);
    boolean shared = options.flag("shared_gating", true);
    if (options.has("shared_gating") && !gated) {
      throw new DeltaException(
          "found shared_gating="
              + shared
              + " for prefix without use_gating=true, expected both; without it shared_gating does"
              + " nothing");
    }
    Prefix prefix =
        new Prefix(
            options.integer("length", 10),
            inner,
            embedded,
            options.integers("blocks"),
            start,
            shifted(options.text("positions", "shifted")),
            gating(gated, shared),
            options.decimal("dropout", 0),
            options.texts("save"),
            false);
    options.checkAllUsed();
    return prefix;
  }

  private static Prefix.Gating gating(boolean wanted, boolean shared) {
    if (!wanted) {
      return Prefix.Gating.NONE;
    }
    return shared ? Prefix.Gating.SHARED : Prefix.Gating.EACH;
  }

  private static boolean shifted(String positions) {
    if (!positions.equals("shifted") && !positions.equals("kept")) {
      throw new DeltaException(
          "found positions=" + positions + " for prefix, expected shifted or kept");
    }
    return positions.equals("shifted");
  }

  /** Files hold what the network computed, if there was one, and not the network. */
  @Override
  public DeltaSpec fromConfig(ModelConfig config, Model model) {
    PeftFields.checkOneStack(config);
    boolean own = config.text("peft_type").equals(OWN);
    return new Prefix(
        config.integer("num_virtual_tokens"),
        0,
        0,
        config.integers("trimtab_blocks"),
        List.of(),
        !own || config.flag("trimtab_shifted", false),
        gating(own && config.flag("use_gating", false), config.flag("shared_gating", true)),
        config.decimal("trimtab_dropout", 0),
        config.texts("modules_to_save"),
        true);
  }
}
