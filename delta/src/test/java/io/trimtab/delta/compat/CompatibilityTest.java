package io.trimtab.delta.compat;

import static org.assertj.core.api.Assertions.assertThat;

import io.trimtab.delta.compat.Compatibility.Status;
import io.trimtab.hub.ModelConfig;
import io.trimtab.hub.TensorInfo;
import io.trimtab.tensor.DType;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Each program's rules, and that plain LoRA breaks none of them. */
class CompatibilityTest {
  private static final String LAYER = "base_model.model.bert.encoder.layer.0.attention.self.";

  private static AdapterFacts adapter(String type, String fields, TensorInfo... more) {
    ModelConfig config =
        ModelConfig.parse(
            "{\"peft_type\": \""
                + type
                + "\", \"lora_alpha\": 16, \"target_modules\": [\"query\", \"value\"]"
                + fields
                + "}",
            Path.of("adapter_config.json"));
    List<TensorInfo> tensors = new ArrayList<>(List.of(more));
    tensors.add(new TensorInfo(LAYER + "query.lora_A.weight", DType.F32, new long[] {8, 16}));
    tensors.add(new TensorInfo(LAYER + "query.lora_B.weight", DType.F32, new long[] {16, 8}));
    return new AdapterFacts(config, tensors);
  }

  private static AdapterFacts lora(String fields, TensorInfo... more) {
    return adapter("LORA", ", \"r\": 8" + fields, more);
  }

  private static void check(AdapterReader reader, AdapterFacts facts, Status status, String... at) {
    Compatibility found = Compatibility.of(reader, facts);
    assertThat(found.status()).as(found.toString()).isEqualTo(status);
    assertThat(found.findings()).extracting(Finding::field).containsAll(List.of(at));
    assertThat(found.asOf()).isNotBlank();
  }

  private static TensorInfo tensor(String name, long... shape) {
    return new TensorInfo(LAYER + name, DType.F32, shape);
  }

  @Test
  void plainLoraLoads() {
    AdapterFacts plain =
        lora(", \"use_dora\": false, \"modules_to_save\": null, \"rank_pattern\": {}");
    assertThat(Compatibility.of(plain))
        .extracting(Compatibility::program, Compatibility::status)
        .containsExactly(
            org.assertj.core.api.Assertions.tuple("PEFT", Status.LOADS),
            org.assertj.core.api.Assertions.tuple("vLLM", Status.LOADS),
            org.assertj.core.api.Assertions.tuple("LoRAX", Status.LOADS),
            org.assertj.core.api.Assertions.tuple("llama.cpp", Status.AFTER_A_STEP),
            org.assertj.core.api.Assertions.tuple("ONNX Runtime", Status.AFTER_A_STEP));
  }

  @Test
  void peftKnowsItsOwnMethodsAndFields() {
    AdapterReader peft = new PeftReader();
    check(peft, adapter("IA3", ""), Status.LOADS);
    check(peft, adapter("TRIMTAB_BITFIT", ""), Status.REFUSED, "peft_type");
    check(peft, adapter("BOTTLENECK", ""), Status.REFUSED, "peft_type");
    check(peft, lora(", \"trimtab_tied_head_bias\": true"), Status.WRONG, "trimtab_*");
  }

  @Test
  void vllmTakesLoraOfOneRank() {
    AdapterReader vllm = new VllmReader();
    check(vllm, lora(", \"use_rslora\": true"), Status.LOADS);
    check(vllm, adapter("LOHA", ", \"r\": 8"), Status.REFUSED, "peft_type");
    check(vllm, adapter("LORA", ""), Status.REFUSED, "r");
    check(vllm, lora(", \"use_dora\": true"), Status.REFUSED, "use_dora");
    check(vllm, lora(", \"modules_to_save\": [\"classifier\"]"), Status.REFUSED, "modules_to_save");
    check(vllm, lora("", tensor("query.lora_magnitude_vector", 16)), Status.REFUSED, "tensors");
    check(vllm, lora(", \"rank_pattern\": {\"query\": 4}"), Status.WRONG, "rank_pattern");
    check(vllm, lora(", \"alpha_pattern\": {\"query\": 4}"), Status.WRONG, "alpha_pattern");
    check(vllm, lora("", tensor("value.lora_A.weight", 32, 16)), Status.AFTER_A_STEP, "r");
  }

  @Test
  void loraxStacksAllLayers() {
    AdapterReader lorax = new LoraxReader();
    check(lorax, lora(", \"use_rslora\": true"), Status.LOADS);
    check(lorax, adapter("IA3", ""), Status.REFUSED, "peft_type");
    check(lorax, lora("", tensor("value.lora_A.weight", 4, 16)), Status.REFUSED, "rank_pattern");
    check(lorax, lora(", \"use_dora\": true"), Status.WRONG, "use_dora");
    check(lorax, lora(", \"modules_to_save\": [\"score\"]"), Status.WRONG, "modules_to_save");
    check(lorax, lora(", \"alpha_pattern\": {\"query\": 4}"), Status.WRONG, "alpha_pattern");
    check(lorax, lora(", \"layers_to_transform\": [0]"), Status.WRONG, "layers_to_transform");
    check(lorax, lora(", \"layers_to_transform\": 1"), Status.WRONG, "layers_to_transform");
    check(lorax, lora("", tensor("query.lora_B.bias", 16)), Status.WRONG, "tensors");
  }

  @Test
  void llamaCppKnowsOneAlphaAndNoRoot() {
    AdapterReader llama = new LlamaCppReader();
    check(llama, adapter("VERA", ""), Status.REFUSED, "peft_type");
    check(llama, lora(", \"modules_to_save\": [\"lm_head\"]"), Status.REFUSED, "modules_to_save");
    check(llama, lora("", tensor("query.lora_B.bias", 16)), Status.REFUSED, "tensors");
    check(llama, lora(", \"use_dora\": true"), Status.REFUSED, "use_dora");
    check(
        llama,
        lora("", tensor("words.lora_embedding_A", 8, 40)),
        Status.REFUSED,
        "lora_embedding_A");
    check(llama, lora(", \"use_rslora\": true"), Status.WRONG, "use_rslora");
    check(llama, lora(", \"alpha_pattern\": {\"query\": 4}"), Status.WRONG, "alpha_pattern");
    // Each layer's own rank is the divisor there, so that ranks may differ.
    check(
        llama,
        lora(", \"rank_pattern\": {\"query\": 4}"),
        Status.AFTER_A_STEP,
        "adapter_model.safetensors");
  }

  @Test
  void onnxRuntimeTakesMatricesAsInputs() {
    AdapterReader onnx = new OnnxRuntimeReader();
    check(onnx, adapter("PREFIX_TUNING", ""), Status.REFUSED, "peft_type");
    check(onnx, lora(", \"modules_to_save\": [\"score\"]"), Status.REFUSED, "modules_to_save");
    check(onnx, lora(", \"use_dora\": true"), Status.REFUSED, "use_dora");
    check(onnx, lora("", tensor("words.lora_embedding_A", 8, 40)), Status.REFUSED, "tensors");
  }
}
