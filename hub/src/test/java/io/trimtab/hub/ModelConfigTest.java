package io.trimtab.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ModelConfigTest {
  private static ModelConfig config(String json) {
    return ModelConfig.parse(json, Path.of("dir", "config.json"));
  }

  @Test
  void readsEveryKindOfField() {
    ModelConfig config =
        config(
            """
            {"model_type": "bert", "architectures": ["BertForMaskedLM"], "hidden_size": 768,
             "layer_norm_eps": 1e-12, "is_decoder": false, "dtype": null, "torch_dtype": "float32",
             "head_dims": [1, 2], "rope": {"theta": 10000.0}, "whole": 3.0}
            """);
    assertThat(config.modelType()).isEqualTo("bert");
    assertThat(config.architectures()).containsExactly("BertForMaskedLM");
    assertThat(config.integer("hidden_size")).isEqualTo(768);
    assertThat(config.integer("whole")).isEqualTo(3);
    assertThat(config.integer("absent", 7)).isEqualTo(7);
    assertThat(config.decimal("layer_norm_eps")).isEqualTo(1e-12);
    assertThat(config.decimal("hidden_size", 1)).isEqualTo(768);
    assertThat(config.flag("is_decoder", true)).isFalse();
    assertThat(config.flag("dtype", true)).isTrue();
    assertThat(config.text(config.firstOf("dtype", "torch_dtype"))).isEqualTo("float32");
    assertThat(config.firstOf("a", "b")).isEqualTo("a");
    assertThat(config.integers("head_dims")).containsExactly(1, 2);
    assertThat(config.integers("absent")).isEmpty();
    assertThat(config.section("rope").decimal("theta")).isEqualTo(10000);
    assertThat(config.path()).isEqualTo(Path.of("dir", "config.json"));
  }

  @Test
  void errorsNameFileFieldFoundAndExpected() {
    ModelConfig config =
        config(
            "{\"hidden_size\": \"768\", \"n\": 1.5, \"rope\": {\"theta\": true}, \"l\": [null]}");
    assertThatThrownBy(() -> config.integer("hidden_size"))
        .isInstanceOf(HubException.Malformed.class)
        .hasMessageContaining("config.json")
        .hasMessageContaining("hidden_size")
        .hasMessageContaining("expected an integer, found the string \"768\"");
    assertThatThrownBy(() -> config.integer("n")).hasMessageContaining("found 1.5");
    assertThatThrownBy(() -> config.integer("n", 2)).hasMessageContaining("found 1.5");
    assertThatThrownBy(() -> config.text("vocab_size"))
        .hasMessageContaining("vocab_size is missing")
        .hasMessageContaining("hidden_size");
    assertThatThrownBy(() -> config.section("rope").decimal("theta"))
        .hasMessageContaining("rope.theta")
        .hasMessageContaining("found true");
    assertThatThrownBy(() -> config.section("n")).hasMessageContaining("an object");
    assertThatThrownBy(() -> config.texts("l")).hasMessageContaining("without null");
    assertThatThrownBy(() -> config.integers("rope")).hasMessageContaining("a list");
    assertThatThrownBy(() -> config.flag("n")).hasMessageContaining("true or false");
  }

  @Test
  void brokenFilesAreMalformed() {
    for (String json : new String[] {"", "[1]", "{", "{\"a\": }", "{} {}", "{\"a\": 1e}"}) {
      assertThatThrownBy(() -> config(json)).isInstanceOf(HubException.Malformed.class);
    }
    assertThatThrownBy(() -> config("{\"a\": " + "[".repeat(5000)))
        .isInstanceOf(HubException.Malformed.class);
    assertThatThrownBy(() -> ModelConfig.read(Path.of("no", "such.json")))
        .isInstanceOf(HubException.NotFound.class);
  }

  @Test
  void labelsAreReadOrNamedAsTransformersNamesThem() {
    assertThat(config("{\"id2label\": {\"1\": \"neg\", \"0\": \"pos\"}}").id2label())
        .isEqualTo(Map.of(0, "pos", 1, "neg"));
    assertThat(config("{\"num_labels\": 3}").id2label())
        .isEqualTo(Map.of(0, "LABEL_0", 1, "LABEL_1", 2, "LABEL_2"));
    assertThat(config("{}").id2label()).hasSize(2);
    assertThatThrownBy(() -> config("{\"id2label\": {\"x\": \"neg\"}}").id2label())
        .hasMessageContaining("\"x\"");
    assertThatThrownBy(() -> config("{\"id2label\": {\"0\": \"a\", \"2\": \"b\"}}").id2label())
        .hasMessageContaining("classes 0 to 1");
  }
}
