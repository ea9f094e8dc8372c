package io.trimtab.delta.softprompt;

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
import java.util.Locale;
import java.util.Map;

/** Registers P-tuning, and reads its settings as users type them and as PEFT stores them. */
@AutoService(DeltaMethod.class)
public final class PTuningMethod implements DeltaMethod {
  @Override
  public String name() {
    return "ptuning";
  }

  @Override
  public String peftType() {
    return "P_TUNING";
  }

  @Override
  public String paper() {
    return "Liu et al., GPT Understands, Too, 2021";
  }

  @Override
  public double defaultRate() {
    return 1e-3;
  }

  @Override
  public double startsWithin() {
    return 2;
  }

  @Override
  public Presets presets() {
    return Presets.NONE.with("peft", "network=mlp layers=2");
  }

  @Override
  public List<String> sizeFields() {
    return List.of("num_virtual_tokens");
  }

  @Override
  public DeltaSpec fromOptions(Map<String, String> typed, Model model) {
    Options options = new Options(this, typed);
    SoftPrompt prompt =
        SoftPrompt.of(options.integer("length", 20))
            .madeBy(
                network(options.text("network", "mlp")),
                options.integer("hidden", model.stack().embeddings().words().size()),
                options.integer("layers", 2))
            .saving(options.texts("save").toArray(String[]::new));
    options.checkAllUsed();
    return prompt;
  }

  private static SoftPrompt.Network network(String name) {
    return switch (name.toLowerCase(Locale.ROOT)) {
      case "mlp" -> SoftPrompt.Network.MLP;
      case "lstm" -> SoftPrompt.Network.LSTM;
      default ->
          throw new DeltaException(
              "found \"" + name + "\" as the network of P-tuning, expected mlp or lstm");
    };
  }

  /** Files hold the vectors that the network computed, and not the network. */
  @Override
  public DeltaSpec fromConfig(ModelConfig config, Model model) {
    PeftFields.checkOneStack(config);
    return new SoftPrompt(
        config.integer("num_virtual_tokens"),
        network(config.text("encoder_reparameterization_type", "MLP")),
        config.integer("encoder_hidden_size", model.stack().embeddings().words().size()),
        config.integer("encoder_num_layers", 2),
        SoftPrompt.Start.RANDOM,
        List.of(),
        true,
        SoftPrompt.Place.WORDS,
        config.texts("modules_to_save"),
        true);
  }
}
