package io.trimtab.delta.compat;

import io.trimtab.delta.compat.Finding.Effect;
import java.util.List;

/** ONNX Runtime: files of its own for graphs that were exported with inputs for LoRA. */
final class OnnxRuntimeReader implements AdapterReader {
  @Override
  public String name() {
    return "ONNX Runtime";
  }

  @Override
  public String asOf() {
    return "the Java API with OrtLoraAdapter";
  }

  @Override
  public List<Rule> rules() {
    return List.of(
        Rule.onlyLora(
            "ONNX Runtime's adapters are inputs of LoRA's matrices; convert it to LoRA, or merge it"
                + " and export the model"),
        Rule.names(
            Effect.REFUSED,
            "modules_to_save",
            "a whole module is no input of an exported graph; merge it and export the model"),
        Rule.flag(
            Effect.REFUSED,
            "use_dora",
            "magnitudes are no inputs of an exported graph; convert it to LoRA"),
        Rule.tensorsBut(
            Effect.REFUSED,
            AdapterFacts.matrices(),
            "only LoRA's matrices are inputs of an exported graph; convert it to LoRA, or merge"
                + " it"),
        new Rule(
            Effect.STEP,
            "adapter_model.safetensors",
            facts -> Rule.some(facts.peftType().equals("LORA"), "a PEFT directory"),
            "ONNX Runtime reads .onnx_adapter files alone, and the graph must be exported with"
                + " inputs for LoRA (Olive does both); it runs adapters, it does not train them"));
  }
}
