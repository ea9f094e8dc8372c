package io.trimtab.model.decoders;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trimtab.hub.ModelConfig;
import io.trimtab.model.ModelException;
import java.nio.file.Path;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A field that changes what is computed, and that is not known, is an error and no near miss. */
class DecoderConfigsTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"embedding_multiplier\": 12",
        "\"residual_multiplier\": 0.2",
        "\"logits_scaling\": 8.0",
        "\"attention_multiplier\": 0.01",
        "\"clip_qkv\": 8",
        "\"use_bidirectional_attention\": true",
        "\"quantization_config\": {\"bits\": 4}",
        "\"add_cross_attention\": true"
      })
  void isRefused(String field) {
    ModelConfig config = config(field);
    assertThatThrownBy(() -> Fields.refuse(config))
        .isInstanceOf(ModelException.Unsupported.class)
        .hasMessageContaining(field.substring(1, field.indexOf('"', 1)))
        .hasMessageContaining("config.json");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"\"embedding_multiplier\": 1", "\"clip_qkv\": null", "\"pretraining_tp\": 2"})
  void neutralValuesAreNot(String field) {
    Fields.refuse(config(field));
  }

  @ParameterizedTest
  @ValueSource(strings = {"[\"full_attention\"]", "[\"full_attention\", \"chunked_attention\"]"})
  void kindsOfLayersAreKnownAndAsManyAsThereAre(String kinds) {
    ModelConfig config = config("\"layer_types\": " + kinds);
    assertThatThrownBy(() -> Fields.sliding(config, 2, block -> false))
        .isInstanceOf(ModelException.Unsupported.class)
        .hasMessageContaining("layer_types");
  }

  @ParameterizedTest
  @ValueSource(strings = {"LlamaForSequenceClassification", "LlamaForQuestionAnswering"})
  void otherHeadsAreRefused(String name) {
    ModelConfig config = config("\"architectures\": [\"" + name + "\"]");
    assertThatThrownBy(() -> Fields.isLanguageModel(config))
        .isInstanceOf(ModelException.Unsupported.class)
        .hasMessageContaining(name);
  }

  private static ModelConfig config(String field) {
    return ModelConfig.parse("{\"model_type\": \"llama\", " + field + "}", Path.of("config.json"));
  }
}
