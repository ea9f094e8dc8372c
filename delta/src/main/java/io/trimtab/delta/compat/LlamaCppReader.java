package io.trimtab.delta.compat;

import io.trimtab.delta.compat.Finding.Effect;
import java.util.List;

/**
 * llama.cpp: GGUF files of LoRA's matrices with one alpha, made by its script from PEFT's
 * directories.
 */
final class LlamaCppReader implements AdapterReader {
  @Override
  public String name() {
    return "llama.cpp";
  }

  @Override
  public String asOf() {
    return "convert_lora_to_gguf.py at 0b03ada";
  }

  @Override
  public List<Rule> rules() {
    return List.of(
        Rule.onlyLora("GGUF adapters hold LoRA alone; convert it to LoRA, or merge it"),
        Rule.names(
            Effect.REFUSED,
            "modules_to_save",
            "GGUF adapters hold no whole modules, and the converter stops at them; merge it"),
        Rule.tensorsBut(
            Effect.REFUSED,
            AdapterFacts.matricesAndEmbeddings(),
            "the converter stops at tensors that are not LoRA's matrices; convert it to LoRA, or"
                + " merge it"),
        new Rule(
            Effect.REFUSED,
            "lora_embedding_A",
            facts -> Rule.some(facts.hasEmbeddings(), "matrices of an embedding"),
            "the converter expects embeddings as mergekit writes them, flipped, and not as PEFT"
                + " does; leave embeddings out, or merge it"),
        Rule.flag(
            Effect.REFUSED, "use_dora", "GGUF adapters hold no magnitudes; convert it to LoRA"),
        Rule.flag(
            Effect.WRONG,
            "use_rslora",
            "the converter copies lora_alpha as it is, so that the scale becomes alpha / r instead"
                + " of alpha / sqrt(r); convert it to LoRA, which has a plain scale"),
        Rule.pattern(
            Effect.WRONG,
            "alpha_pattern",
            "a GGUF adapter has one alpha for all layers; convert it to LoRA anew"),
        new Rule(
            Effect.STEP,
            "adapter_model.safetensors",
            facts -> Rule.some(facts.peftType().equals("LORA"), "a PEFT directory"),
            "llama.cpp reads GGUF alone: its convert_lora_to_gguf.py makes one"));
  }
}
