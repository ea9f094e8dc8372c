package io.trimtab.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.trimtab.hub.TensorData;
import io.trimtab.hub.TensorNotFoundException;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.TrimtabException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SequencedMap;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Old checkpoints are read; those that do not fit their configuration are refused. */
class CheckpointsTest {
  private static final String VALUE = "bert.encoder.layer.1.attention.self.value.weight";

  @TempDir Path temp;

  private AbstractThrowableAssert<?, ? extends Throwable> opening(UnaryOperator<String> config)
      throws IOException {
    return opening(config, tensors -> {});
  }

  private AbstractThrowableAssert<?, ? extends Throwable> opening(
      UnaryOperator<String> config, Consumer<SequencedMap<String, TensorData>> tensors)
      throws IOException {
    Path folder = Tiny.changed(Tiny.bert(), temp, config, tensors);
    return assertThatThrownBy(() -> Tiny.open(folder).close());
  }

  private static String setting(String config, String field, String value) {
    String other = config.replaceAll("\"" + field + "\": [^,\\n]*,?\\n", "");
    return other.replaceFirst("\\{", "{\n\"" + field + "\": " + value + ",\n");
  }

  private static float[] logits(Path folder) {
    try (Scope _ = Scope.open();
        Model model = Tiny.open(folder)) {
      Batch batch = Tiny.random(model, 10, 9, 5);
      return Tiny.logits(model, batch, Pass.plain(batch.layout())).toFloats();
    }
  }

  @Test
  void normsUnderTheirOldNamesAreRead() throws IOException {
    Path old =
        Tiny.changed(
            Tiny.bert(),
            temp,
            config -> config,
            tensors -> {
              for (String name : List.copyOf(tensors.keySet())) {
                String renamed =
                    name.replace("LayerNorm.weight", "LayerNorm.gamma")
                        .replace("LayerNorm.bias", "LayerNorm.beta");
                tensors.put(renamed, Objects.requireNonNull(tensors.remove(name)));
              }
              assertThat(tensors).containsKey("bert.embeddings.LayerNorm.gamma");
            });
    assertThat(logits(old)).isEqualTo(logits(Tiny.bert()));
    try (Model model = Tiny.open(old);
        Model plain = Tiny.open(Tiny.bert())) {
      assertThat(model.tensors().keySet()).isEqualTo(plain.tensors().keySet());
      String norm = "bert.embeddings.LayerNorm.weight";
      assertThat(model.fingerprint(norm)).isEqualTo(plain.fingerprint(norm));
    }
  }

  @Test
  void aTensorThatNoLayerAskedForIsRefused() throws IOException {
    opening(
            config -> config,
            all -> {
              TensorData data = Objects.requireNonNull(all.get(VALUE));
              all.put("bert.encoder.layer.9.attention.self.value.weight", data);
            })
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("found 1 tensors in the checkpoint")
        .hasMessageContaining("bert.encoder.layer.9.attention.self.value.weight")
        .hasMessageContaining("check model_type");
  }

  @Test
  void aMissingTensorIsNamed() throws IOException {
    opening(config -> config, all -> all.remove(VALUE))
        .isInstanceOf(TensorNotFoundException.class)
        .hasMessageContaining(VALUE);
  }

  @Test
  void anUnknownModelTypeIsAnsweredWithTheKnownOnes() throws IOException {
    opening(config -> setting(config, "model_type", "\"bort\""))
        .isInstanceOf(ModelException.Unsupported.class)
        .hasMessageContaining("model_type \"bort\"")
        .hasMessageContaining("bert, camembert, deberta-v2, distilbert, electra");
  }

  @Test
  void aHeadThatIsNotReadIsRefused() throws IOException {
    opening(config -> config.replace("BertForMaskedLM", "BertForQuestionAnswering"))
        .isInstanceOf(ModelException.Unsupported.class)
        .hasMessageContaining("BertForQuestionAnswering in ")
        .hasMessageContaining("config.json")
        .hasMessageContaining("ForSequenceClassification");
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '`',
      value = {
        "hidden_act, \"mish\", activation \"mish\"",
        "position_embedding_type, \"relative_key\", position_embedding_type \"relative_key\"",
        "is_decoder, true, is_decoder true",
        "add_cross_attention, true, add_cross_attention true",
      })
  void aSettingThatIsNotComputedIsRefused(String field, String value, String found)
      throws IOException {
    opening(config -> setting(config, field, value))
        .isInstanceOf(ModelException.Unsupported.class)
        .hasMessageContaining("found " + found)
        .hasMessageContaining("expected");
  }

  @Test
  void headsThatDoNotDivideTheQueriesAreRefused() throws IOException {
    opening(config -> setting(config, "num_attention_heads", "5"))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("found 5 attention heads over the 32 numbers of bert.encoder.layer.0")
        .hasMessageContaining("expected a divisor");
  }

  @Test
  void aBareEncoderHasNoScores() throws IOException {
    Path folder =
        Tiny.changed(
            Tiny.bert(),
            temp,
            config -> config.replace("BertForMaskedLM", "BertModel"),
            all -> all.keySet().removeIf(name -> name.startsWith("cls.")));
    try (Scope _ = Scope.open();
        Model model = Tiny.open(folder)) {
      Batch batch = Tiny.random(model, 11, 6, 3);
      Pass pass = Pass.plain(batch.layout());
      Positions first = Positions.first(batch.layout());
      for (Map.Entry<String, Runnable> call :
          Map.<String, Runnable>of(
                  "masked-language-model", () -> model.maskedLogits(batch, pass, first, null),
                  "sequence-classification", () -> model.classify(batch, pass),
                  "token-classification", () -> model.classifyTokens(batch, pass))
              .entrySet()) {
        assertThatThrownBy(call.getValue()::run)
            .isInstanceOf(ModelException.class)
            .hasMessageContaining("found no " + call.getKey() + " head")
            .hasMessageContaining("BertModel");
      }
      double length = 0;
      for (float x : model.embed(batch, pass, Model.Pooling.MEAN, true).toFloats()) {
        length += (double) x * x;
      }
      assertThat(length).isBetween(2 - 1e-5, 2 + 1e-5);
    }
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '`',
      value = {
        "deberta-v2, conv_kernel_size, 3, conv_kernel_size 3",
        "deberta-v2, relative_attention, false, relative_attention false",
        "deberta-v2, embedding_size, 16, embedding_size 16",
        "deberta-v2, norm_rel_ebd, \"batch\", norm_rel_ebd \"batch\"",
        "deberta-v2, position_buckets, 4, 16 rows in deberta.encoder.rel_embeddings.weight",
        "modernbert, hidden_activation, \"mish\", activation \"mish\"",
        "modernbert, num_hidden_layers, 3, layer_types",
        "albert, num_hidden_groups, 4, num_hidden_groups 4",
        "albert, position_embedding_type, \"relative_key\", position_embedding_type",
      })
  void settingsOfOtherArchitecturesToo(String model, String field, String value, String found)
      throws IOException {
    Path recorded = Tiny.recorded().resolve(model);
    assumeThat(recorded).as("recordings").exists();
    Path folder =
        Tiny.changed(recorded, temp, config -> setting(config, field, value), tensors -> {});
    assertThatThrownBy(() -> Tiny.open(folder).close())
        .isInstanceOf(TrimtabException.class)
        .hasMessageContaining("found " + found)
        .hasMessageContaining("expected");
  }

  @Test
  void modernBertIsTheSameInTheSpellingOfTransformers4() throws IOException {
    Path recorded = Tiny.recorded().resolve("modernbert");
    assumeThat(recorded).as("recordings").exists();
    Path folder =
        Tiny.changed(
            recorded,
            temp,
            config -> {
              String plain =
                  config
                      .replaceAll("(?s)\"rope_parameters\": \\{.*?\\}\\s*\\},", "")
                      .replaceAll("(?s)\"layer_types\": \\[.*?\\],", "");
              assertThat(plain).doesNotContain("rope_theta").doesNotContain("layer_types");
              return setting(
                  setting(plain, "global_rope_theta", "160000.0"), "local_rope_theta", "10000.0");
            },
            tensors -> {});
    assertThat(logits(folder)).isEqualTo(logits(recorded));
  }
}
