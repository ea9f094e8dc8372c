package io.trimtab.delta.lora;

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
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/** Registers LoRA, and reads its settings as users type them and as PEFT stores them. */
@AutoService(DeltaMethod.class)
public final class LoraMethod implements DeltaMethod {
  /** The type of files of LoRA with gates, which PEFT has not. */
  static final String GATED = "TRIMTAB_GATED_LORA";

  @Override
  public String name() {
    return "lora";
  }

  @Override
  public String peftType() {
    return "LORA";
  }

  @Override
  public Set<String> peftTypes() {
    return Set.of(peftType(), GATED);
  }

  @Override
  public String paper() {
    return "Hu et al., LoRA: Low-Rank Adaptation of Large Language Models, 2021";
  }

  @Override
  public double defaultRate() {
    return 1e-3;
  }

  @Override
  public Presets presets() {
    return Presets.NONE
        .with("adapterhub", "rank=8 alpha=8 dropout=0 start=kaiming")
        .with("opendelta", "rank=8 alpha=16 dropout=0 start=kaiming targets=@attn.q,@attn.v")
        .with("paper", "rank=8 alpha=8 start=gaussian")
        .with("peft", "rank=8 alpha=8 dropout=0 start=kaiming");
  }

  @Override
  public DeltaSpec fromOptions(Map<String, String> typed, Model model) {
    Options options = new Options(this, typed);
    int rank = options.integer("rank", 8);
    LoraStart start = LoraStart.named(options.text("start", "kaiming"));
    List<Integer> tokens = tokens(options.texts("tokens"));
    Lora lora =
        Lora.rank(rank)
            .alpha(options.decimal("alpha", 2.0 * rank))
            .dropout(options.decimal("dropout", 0))
            .rankStabilised(options.flag("rslora", false))
            .patterns(
                pattern(options, "ranks", LoraMethod::whole),
                pattern(options, "alphas", LoraMethod::decimal))
            .bias(AdaptedBiases.parse(options.text("bias", "none")))
            .outputBias(options.flag("lora_bias", false))
            .dora(options.flag("dora", false))
            .gated(options.flag("use_gating", false))
            .start(start)
            .training(trained(options.text("train", start == Starts.MICA ? "a" : "both")))
            .plus(options.decimal("plus", 1))
            .tokens(tokens.isEmpty() ? Map.of() : Map.of("", tokens))
            .onParts(options.texts("part").toArray(String[]::new))
            .on(Targets.fromOptions(options, Targets.queriesAndValues(model)));
    options.checkAllUsed();
    return lora;
  }

  private static Lora.Trained trained(String text) {
    return switch (text) {
      case "both" -> Lora.Trained.BOTH;
      case "a" -> Lora.Trained.A;
      case "b" -> Lora.Trained.B;
      default ->
          throw new DeltaException("found train=" + text + " for lora, expected both, a or b");
    };
  }

  private static List<Integer> tokens(List<String> typed) {
    List<Integer> tokens = new ArrayList<>();
    typed.forEach(text -> tokens.add(whole(text)));
    return tokens;
  }

  /** NAME:VALUE with commas between them. */
  private static <V> Map<String, V> pattern(
      Options options, String key, Function<String, V> value) {
    Map<String, V> pattern = new LinkedHashMap<>();
    for (String entry : options.texts(key)) {
      int colon = entry.lastIndexOf(':');
      if (colon < 1) {
        throw new DeltaException(
            "found "
                + key
                + "="
                + entry
                + " for lora, expected NAME:VALUE with commas between, such as query:4");
      }
      pattern.put(entry.substring(0, colon), value.apply(entry.substring(colon + 1)));
    }
    return pattern;
  }

  private static int whole(String text) {
    try {
      return Integer.parseInt(text.strip());
    } catch (NumberFormatException e) {
      throw new DeltaException("found \"" + text + "\" for lora, expected a whole number", e);
    }
  }

  private static double decimal(String text) {
    try {
      return Double.parseDouble(text.strip());
    } catch (NumberFormatException e) {
      throw new DeltaException("found \"" + text + "\" for lora, expected a number", e);
    }
  }

  @Override
  public DeltaSpec fromConfig(ModelConfig config, Model model) {
    PeftFields.checkFanInFanOut(config, model);
    return LoraConfig.read(config);
  }
}
