package io.trimtab.delta.tokens;

import com.google.auto.service.AutoService;
import io.trimtab.delta.Address;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.Options;
import io.trimtab.delta.Presets;
import io.trimtab.delta.Targets;
import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Model;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Registers trainable tokens, and reads its settings as typed and as PEFT stores them. */
@AutoService(DeltaMethod.class)
public final class TrainableTokensMethod implements DeltaMethod {
  @Override
  public String name() {
    return "tokens";
  }

  @Override
  public String peftType() {
    return "TRAINABLE_TOKENS";
  }

  @Override
  public String paper() {
    return "none; as Hugging Face PEFT has it";
  }

  @Override
  public double defaultRate() {
    return 1e-3;
  }

  @Override
  public Presets presets() {
    return Presets.NONE.with("peft", "head-bias=false");
  }

  @Override
  public DeltaSpec fromOptions(Map<String, String> typed, Model model) {
    Options options = new Options(this, typed);
    List<Integer> tokens = new ArrayList<>();
    for (String text : options.texts("tokens")) {
      addTokens(text, tokens);
    }
    boolean headBias = options.flag("head-bias", true);
    Targets targets = Targets.fromOptions(options, TrainableTokens.usual(model));
    options.checkAllUsed();
    return new TrainableTokens(tokens, headBias, targets);
  }

  /** One number, or a range such as {@code 5-9}. */
  private static void addTokens(String text, List<Integer> tokens) {
    String[] ends = text.split("-", 2);
    try {
      int first = Integer.parseInt(ends[0]);
      int last = Integer.parseInt(ends[ends.length - 1]);
      if (first > last) {
        throw wrong(text, null);
      }
      for (int token = first; token <= last; token++) {
        tokens.add(token);
      }
    } catch (NumberFormatException e) {
      throw wrong(text, e);
    }
  }

  private static DeltaException wrong(
      String text, @org.jspecify.annotations.Nullable Throwable cause) {
    String message =
        "found \""
            + text
            + "\" among the tokens to train, expected numbers and ranges such as 5,17,40-43";
    return cause == null ? new DeltaException(message) : new DeltaException(message, cause);
  }

  @Override
  public DeltaSpec fromConfig(ModelConfig config, Model model) {
    List<Integer> tokens = config.integers("token_indices");
    if (tokens.isEmpty()) {
      throw new DeltaException(
          "found no token_indices in " + config.path() + ", expected the trained tokens' numbers");
    }
    boolean named = config.isText("target_modules") || !config.texts("target_modules").isEmpty();
    Targets targets =
        named
            ? Targets.fromConfig(config)
            : new Targets(
                Address.suffixes(List.of(TrainableTokens.usual(model))),
                config.texts("modules_to_save"),
                true);
    return new TrainableTokens(tokens, config.flag(TrainableTokens.HEAD_BIAS, false), targets);
  }
}
