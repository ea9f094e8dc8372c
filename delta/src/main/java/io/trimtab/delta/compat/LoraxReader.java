package io.trimtab.delta.compat;

import io.trimtab.delta.compat.Finding.Effect;
import java.util.List;

/**
 * LoRAX: LoRA whose matrices are stacked over all layers; what it has no place for it leaves out
 * with a warning.
 */
final class LoraxReader implements AdapterReader {
  @Override
  public String name() {
    return "LoRAX";
  }

  @Override
  public String asOf() {
    return "a7394ba, 2026-05-28";
  }

  @Override
  public List<Rule> rules() {
    return List.of(
        Rule.onlyLora("LoRAX serves LoRA; convert it to LoRA, or merge it"),
        new Rule(
            Effect.REFUSED,
            "rank_pattern",
            facts -> Rule.some(facts.ranks().size() > 1, "ranks " + facts.ranks()),
            "LoRAX stacks the matrices of all layers, which must be of one rank; convert it to one"
                + " rank"),
        Rule.flag(
            Effect.WRONG,
            "use_dora",
            "LoRAX leaves DoRA's magnitudes out; convert it to LoRA, or merge it"),
        Rule.names(
            Effect.WRONG,
            "modules_to_save",
            "LoRAX leaves modules trained whole out with a warning; merge it"),
        Rule.pattern(
            Effect.WRONG,
            "alpha_pattern",
            "LoRAX scales every layer by the one lora_alpha; convert it to LoRA anew"),
        new Rule(
            Effect.WRONG,
            "layers_to_transform",
            facts -> Rule.some(facts.numbers("layers_to_transform"), "some layers only"),
            "LoRAX leaves a kind of layer out altogether where one of them has no matrices; train"
                + " all layers, or merge it"),
        Rule.tensorsBut(
            Effect.WRONG,
            AdapterFacts.matrices(),
            "LoRAX leaves tensors that are not LoRA's matrices out with a warning; merge it"));
  }
}
