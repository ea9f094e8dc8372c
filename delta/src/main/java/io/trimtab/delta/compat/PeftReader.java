package io.trimtab.delta.compat;

import io.trimtab.delta.compat.Finding.Effect;
import java.util.List;
import java.util.Set;

/** Hugging Face PEFT: every method that it has itself, and no field that it does not know. */
final class PeftReader implements AdapterReader {
  private static final Set<String> TYPES =
      Set.of(
          "PROMPT_TUNING",
          "MULTITASK_PROMPT_TUNING",
          "P_TUNING",
          "PREFIX_TUNING",
          "CPT",
          "CARTRIDGE",
          "ADAPTION_PROMPT",
          "LORA",
          "ADALORA",
          "LOHA",
          "LOKR",
          "VERA",
          "PVERA",
          "VBLORA",
          "RANDLORA",
          "GRALORA",
          "GLORA",
          "HIRA",
          "DELORA",
          "TINYLORA",
          "UNILORA",
          "LILY",
          "POLY",
          "XLORA",
          "FROD",
          "PEANUT",
          "MISS",
          "OFT",
          "BOFT",
          "HRA",
          "PSOFT",
          "ROAD",
          "OSF",
          "FOURIERFT",
          "WAVEFT",
          "C3A",
          "SHIRA",
          "SUPERTUNING",
          "DEFT",
          "ADAMSS",
          "IA3",
          "LN_TUNING",
          "BEFT",
          "TRAINABLE_TOKENS");

  @Override
  public String name() {
    return "PEFT";
  }

  @Override
  public String asOf() {
    return "0.20.1.dev0, 2026-08-21";
  }

  @Override
  public List<Rule> rules() {
    return List.of(
        new Rule(
            Effect.REFUSED,
            "peft_type",
            facts ->
                Rule.some(
                    !TYPES.contains(facts.peftType()),
                    facts.peftType().isEmpty() ? "nothing" : facts.peftType()),
            "PEFT has no such method; convert it to LoRA, or merge it"),
        new Rule(
            Effect.WRONG,
            "trimtab_*",
            facts -> Rule.some(!facts.ownFields().isEmpty(), Rule.some(facts.ownFields())),
            "PEFT drops fields that it does not know with a warning, and these change the result;"
                + " merge it instead"));
  }
}
