package io.trimtab.delta.compat;

import io.trimtab.delta.compat.Finding.Effect;
import java.util.Collections;
import java.util.List;

/** vLLM: LoRA of one rank and one alpha, its matrices alone, up to a rank set at its start. */
final class VllmReader implements AdapterReader {
  private static final long USUAL_LARGEST_RANK = 16;

  @Override
  public String name() {
    return "vLLM";
  }

  @Override
  public String asOf() {
    return "peft_helper.py at 0214369, 2025";
  }

  @Override
  public List<Rule> rules() {
    return List.of(
        Rule.onlyLora("vLLM serves LoRA alone; convert it to LoRA, or merge it"),
        required("r"),
        required("lora_alpha"),
        required("target_modules"),
        Rule.names(
            Effect.REFUSED,
            "modules_to_save",
            "vLLM refuses modules trained whole; train without them, or merge it"),
        Rule.flag(Effect.REFUSED, "use_dora", "vLLM refuses DoRA; convert it to LoRA, or merge it"),
        Rule.tensorsBut(
            Effect.REFUSED,
            AdapterFacts.matricesAndEmbeddings(),
            "vLLM takes LoRA's matrices alone; convert it to LoRA, or merge it"),
        Rule.pattern(
            Effect.WRONG,
            "rank_pattern",
            "vLLM scales every layer by lora_alpha / r of the whole; merge it, or convert it to one"
                + " rank"),
        Rule.pattern(
            Effect.WRONG,
            "alpha_pattern",
            "vLLM scales every layer by lora_alpha / r of the whole; merge it, or convert it to one"
                + " rank"),
        new Rule(
            Effect.STEP,
            "r",
            facts -> {
              long largest = facts.ranks().isEmpty() ? 0 : Collections.max(facts.ranks());
              return Rule.some(largest > USUAL_LARGEST_RANK, "rank " + largest);
            },
            "vLLM allows rank 16 unless it is started with a larger --max-lora-rank"));
  }

  private static Rule required(String field) {
    return new Rule(
        Effect.REFUSED,
        field,
        facts -> Rule.some(!facts.config().has(field), "nothing"),
        "vLLM needs this field");
  }
}
