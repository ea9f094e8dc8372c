package io.trimtab.hub.gguf;

import io.trimtab.hub.HubException;
import io.trimtab.hub.ModelConfig;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The architectures that are translated: what llama.cpp calls an architecture and its tensors, and
 * what Hugging Face calls them.
 */
@SuppressWarnings("ImmutableEnumChecker") // the list is a copy that cannot change
enum GgufArchitecture {
  LLAMA("llama", "llama", "LlamaForCausalLM", Families.rotary(Families.gated())),
  MIXTRAL("llama", "mixtral", "MixtralForCausalLM", Families.rotary(Families.mixtral())),
  SMOLLM3("smollm3", "smollm3", "SmolLM3ForCausalLM", Families.rotary(Families.gated())),
  QWEN2("qwen2", "qwen2", "Qwen2ForCausalLM", Families.gated()),
  QWEN3("qwen3", "qwen3", "Qwen3ForCausalLM", Families.gated()),
  GEMMA("gemma", "gemma", "GemmaForCausalLM", Families.plusOne(Families.gated())),
  GEMMA2("gemma2", "gemma2", "Gemma2ForCausalLM", Families.plusOne(Families.sandwich())),
  GEMMA3("gemma3", "gemma3_text", "Gemma3ForCausalLM", Families.plusOne(Families.sandwich())),
  OLMO2("olmo2", "olmo2", "Olmo2ForCausalLM", Families.olmo2()),
  PHI3("phi3", "phi3", "Phi3ForCausalLM", Families.phi3()),
  GPT2("gpt2", "gpt2", "GPT2LMHeadModel", Families.gpt2()),
  GPT_NEOX("gptneox", "gpt_neox", "GPTNeoXForCausalLM", Families.neox()),
  BERT("bert", "bert", "BertModel", Families.bert());

  private final String gguf;
  private final String modelType;
  private final String hfClass;
  private final List<TensorRule> rules;

  GgufArchitecture(String gguf, String modelType, String hfClass, List<TensorRule> rules) {
    this.gguf = gguf;
    this.modelType = modelType;
    this.hfClass = hfClass;
    this.rules = List.copyOf(rules);
  }

  /** The name in GGUF files, which their metadata keys start with. */
  String gguf() {
    return gguf;
  }

  /** The {@code model_type} in {@code config.json}. */
  String modelType() {
    return modelType;
  }

  /** The class in {@code architectures} of {@code config.json}. */
  String hfClass() {
    return hfClass;
  }

  /** A rule and the layer that a name means by it. */
  record Found(TensorRule rule, TensorRule.Place place) {}

  /** The rule for a tensor of a GGUF file. */
  Optional<Found> findGguf(String name) {
    for (TensorRule rule : rules) {
      Optional<TensorRule.Place> place = rule.inGguf(name);
      if (place.isPresent()) {
        return Optional.of(new Found(rule, place.get()));
      }
    }
    return Optional.empty();
  }

  /** The rule for a tensor of a Hugging Face checkpoint. */
  Optional<Found> findHf(String name) {
    if (this == BERT && name.startsWith("bert.")) {
      return findHf(name.substring("bert.".length())); // below a head, all names begin so
    }
    for (TensorRule rule : rules) {
      Optional<TensorRule.Place> place = rule.inHf(name);
      if (place.isPresent()) {
        return Optional.of(new Found(rule, place.get()));
      }
    }
    return Optional.empty();
  }

  /**
   * The architecture of a GGUF file.
   *
   * @throws HubException.Unsupported for one that is not translated
   */
  static GgufArchitecture of(GgufMetadata metadata) {
    String name = metadata.text("general.architecture");
    boolean experts = metadata.whole(name + ".expert_count", 0) > 0;
    return Stream.of(values())
        .filter(each -> each.gguf.equals(name) && experts == (each == MIXTRAL))
        .findFirst()
        .orElseThrow(
            () ->
                new HubException.Unsupported(
                    "the GGUF architecture "
                        + name
                        + (experts ? " with experts" : "")
                        + " is not supported; expected one of "
                        + Arrays.stream(values()).map(GgufArchitecture::gguf).distinct().toList()));
  }

  /**
   * The architecture of a Hugging Face model.
   *
   * @throws HubException.Unsupported for one that is not translated
   */
  static GgufArchitecture of(ModelConfig config) {
    String wanted = config.modelType();
    // To llama.cpp, Mistral is a Llama.
    String type = wanted.equals("mistral") ? "llama" : wanted;
    List<String> known = new ArrayList<>(List.of("mistral"));
    for (GgufArchitecture each : values()) {
      if (each.modelType.equals(type)) {
        return each;
      }
      known.add(each.modelType);
    }
    throw new HubException.Unsupported(
        "models of type " + wanted + " have no GGUF form here; expected one of " + known);
  }
}
