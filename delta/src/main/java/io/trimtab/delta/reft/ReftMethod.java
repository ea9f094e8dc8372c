package io.trimtab.delta.reft;

import com.google.auto.service.AutoService;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.Options;
import io.trimtab.delta.Presets;
import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Activation;
import io.trimtab.model.Model;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Registers ReFT, and reads its settings as users type them and as files store them. */
@AutoService(DeltaMethod.class)
public final class ReftMethod implements DeltaMethod {
  @Override
  public String name() {
    return "reft";
  }

  /** A type of our own: PEFT has no ReFT. */
  @Override
  public String peftType() {
    return "TRIMTAB_REFT";
  }

  @Override
  public String paper() {
    return "Wu et al., ReFT: Representation Finetuning for Language Models, 2024";
  }

  @Override
  public double defaultRate() {
    return 1e-3;
  }

  @Override
  public Presets presets() {
    return Presets.NONE.with(
        "adapterhub", "kind=loreft rank=1 prefix=3 suffix=0 tied=false dropout=0.05");
  }

  @Override
  public DeltaSpec fromOptions(Map<String, String> typed, Model model) {
    Options options = new Options(this, typed);
    int prefix = options.integer("prefix", 3);
    int suffix = options.integer("suffix", 3);
    // With one kind of tokens there is nothing to share, and nothing to store twice.
    boolean tied = options.flag("tied", prefix == 0 || suffix == 0);
    Reft reft =
        Reft.of(kind(options.text("kind", "loreft")), options.integer("rank", 4))
            .at(prefix, suffix, tied)
            .inBlocks(options.integers("blocks"))
            .dropout(options.decimal("dropout", 0))
            .activation(activation(options.text("activation", "none")))
            .saving(options.texts("save").toArray(String[]::new));
    options.checkAllUsed();
    return reft;
  }

  private static Reft.Kind kind(String text) {
    return switch (text) {
      case "loreft" -> Reft.Kind.LOREFT;
      case "noreft" -> Reft.Kind.NOREFT;
      case "direft" -> Reft.Kind.DIREFT;
      default ->
          throw new DeltaException(
              "found kind=" + text + " for reft, expected loreft, noreft or direft");
    };
  }

  private static @Nullable Activation activation(String text) {
    return text.equals("none") ? null : Activation.named(text);
  }

  @Override
  public DeltaSpec fromConfig(ModelConfig config, Model model) {
    return new Reft(
        kind(config.text("kind")),
        config.integer("r"),
        config.integer("prefix_positions"),
        config.integer("suffix_positions"),
        config.flag("tied_weights"),
        config.integers("layers"),
        config.decimal("dropout", 0),
        activation(config.text("non_linearity", "none")),
        config.flag("based", false),
        config.texts("modules_to_save"),
        true);
  }
}
