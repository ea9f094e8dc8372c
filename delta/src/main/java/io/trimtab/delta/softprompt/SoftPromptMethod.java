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
import java.util.Map;
import java.util.Set;

/** Registers prompt tuning, and reads its settings as users type them and as PEFT stores them. */
@AutoService(DeltaMethod.class)
public final class SoftPromptMethod implements DeltaMethod {
  /** The type of files of prompts in places that PEFT has not. */
  static final String EMBEDDED = "TRIMTAB_PROMPT";

  @Override
  public String name() {
    return "prompt";
  }

  @Override
  public String peftType() {
    return "PROMPT_TUNING";
  }

  @Override
  public Set<String> peftTypes() {
    return Set.of(peftType(), EMBEDDED);
  }

  @Override
  public String paper() {
    return "Lester et al., The Power of Scale for Parameter-Efficient Prompt Tuning, 2021";
  }

  @Override
  public double defaultRate() {
    return 3e-2;
  }

  @Override
  public double startsWithin() {
    return 2;
  }

  @Override
  public Presets presets() {
    return Presets.NONE
        .with("adapterhub", "length=10 place=embedded start=uniform")
        .with("opendelta", "length=100 start=first")
        .with("paper", "length=100 start=vocabulary")
        .with("peft", "start=random");
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
            .in(place(options.text("place", "words")))
            .saving(options.texts("save").toArray(String[]::new));
    String start = options.text("start", "vocabulary");
    options.checkAllUsed();
    return switch (start) {
      case "random" -> prompt.startingAs(SoftPrompt.Start.RANDOM);
      case "uniform" -> prompt.startingAs(SoftPrompt.Start.UNIFORM);
      case "vocabulary" -> prompt;
      case "first" -> prompt.startingAs(SoftPrompt.Start.FIRST);
      default -> prompt.startingAs(numbers(start, options));
    };
  }

  private static SoftPrompt.Place place(String text) {
    return switch (text) {
      case "words" -> SoftPrompt.Place.WORDS;
      case "embedded" -> SoftPrompt.Place.EMBEDDED;
      case "embedded_after_first" -> SoftPrompt.Place.EMBEDDED_AFTER_FIRST;
      default ->
          throw new DeltaException(
              "found place="
                  + text
                  + " for a prompt, expected words, embedded or embedded_after_first");
    };
  }

  private List<Integer> numbers(String start, Options options) {
    try {
      return options.integers("start");
    } catch (DeltaException e) {
      throw new DeltaException(
          "found start="
              + start
              + " for "
              + name()
              + ", expected random, uniform, vocabulary, first, text:some words or token numbers",
          e);
    }
  }

  @Override
  public DeltaSpec fromConfig(ModelConfig config, Model model) {
    PeftFields.checkOneStack(config);
    return new SoftPrompt(
        config.integer("num_virtual_tokens"),
        SoftPrompt.Network.NONE,
        0,
        0,
        SoftPrompt.Start.RANDOM,
        List.of(),
        false,
        place(config.text("trimtab_place", "words")),
        config.texts("modules_to_save"),
        true);
  }
}
