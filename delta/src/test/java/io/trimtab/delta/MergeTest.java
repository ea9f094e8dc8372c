package io.trimtab.delta;

import static org.assertj.core.api.Assertions.assertThat;

import io.trimtab.delta.ia3.Ia3;
import io.trimtab.delta.lora.Lora;
import io.trimtab.delta.lora.Starts;
import io.trimtab.delta.selective.Selective;
import io.trimtab.model.Batch;
import io.trimtab.model.Model;
import io.trimtab.model.Pass;
import io.trimtab.tensor.Rng;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class MergeTest {
  @TempDir Path directory = Path.of("");
  private Model model;
  private final Batch batch = TinyModels.batch();

  @BeforeEach
  void open() {
    model = TinyModels.maskedLm(directory);
  }

  @AfterEach
  void close() {
    model.close();
  }

  static List<DeltaSpec> specs() {
    Lora lora = Lora.rank(3);
    Address both = Address.parse("query,value");
    return List.of(
        lora,
        lora.on(Address.ALL_LINEAR),
        lora.on("word_embeddings", "query"),
        lora.on("decoder", "query"),
        lora.on("word_embeddings", "decoder"),
        lora.bias(Lora.Bias.ALL),
        lora.on(both).bias(Lora.Bias.LORA_ONLY).outputBias(true),
        lora.dora(true),
        lora.dora(true).on("word_embeddings", "query").bias(Lora.Bias.LORA_ONLY),
        lora.start(Starts.PISSA),
        lora.start(Starts.OLORA).dora(true),
        lora.tokens(List.of(1, 5)),
        lora.tokens(List.of(1, 5)).on("word_embeddings", "query"),
        lora.saving("transform.dense"),
        Ia3.on("key", "value", "output.dense").feedForward("output.dense"),
        Ia3.on("decoder"),
        Selective.biases(),
        Selective.all());
  }

  @ParameterizedTest
  @MethodSource("specs")
  void theMergedModelGivesTheSame(DeltaSpec spec) {
    Map<String, byte[]> before = bytes();
    float[] plain = numbers(model, Pass.plain(batch.layout()));
    try (Delta delta = spec.attach(model, Rng.seeded(1))) {
      TinyModels.move(delta, 4);
      float[] beside = numbers(model, Pass.with(batch.layout(), delta.patches()));
      try (Model merged = delta.merge()) {
        float[] inside = numbers(merged, Pass.plain(batch.layout()));
        assertThat(inside).hasSameSizeAs(beside).isNotEqualTo(plain);
        float largest = 0;
        for (float number : beside) {
          largest = Math.max(largest, Math.abs(number));
        }
        for (int i = 0; i < inside.length; i++) {
          assertThat(inside[i]).isCloseTo(beside[i], Offset.offset(1e-5f * largest));
        }
      }
    }
    // Unmerging is using the base again: not one bit of it has changed.
    assertThat(bytes()).usingRecursiveComparison().isEqualTo(before);
    assertThat(numbers(model, Pass.plain(batch.layout()))).isEqualTo(plain);
  }

  private static float[] numbers(Model model, Pass pass) {
    return TinyModels.numbers(model, TinyModels.batch(), pass);
  }

  private Map<String, byte[]> bytes() {
    Map<String, byte[]> all = new LinkedHashMap<>();
    model
        .tensors()
        .forEach(
            (name, tensor) ->
                all.put(name, tensor.toBytes().toArray(java.lang.foreign.ValueLayout.JAVA_BYTE)));
    return all;
  }

  @Test
  void theMergedModelSharesWhatDoesNotChange() {
    try (Delta delta = Lora.rank(1).on("query").attach(model, Rng.seeded(1));
        Model merged = delta.merge()) {
      String key = "bert.encoder.layer.0.attention.self.key.weight";
      String query = "bert.encoder.layer.0.attention.self.query.weight";
      assertThat(merged.tensors().get(key)).isSameAs(model.tensors().get(key));
      assertThat(merged.tensors().get(query)).isNotSameAs(model.tensors().get(query));
    }
  }

  @Test
  void aDeltaOutlivesItsMergedModel() {
    try (Delta delta = Lora.rank(1).attach(model, Rng.seeded(1))) {
      TinyModels.move(delta, 4);
      Pass pass = Pass.with(batch.layout(), delta.patches());
      float[] before = numbers(model, pass);
      delta.merge().close();
      assertThat(numbers(model, pass)).isEqualTo(before);
    }
  }
}
