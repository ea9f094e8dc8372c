package io.trimtab.delta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.trimtab.delta.ia3.Ia3;
import io.trimtab.delta.lora.Lora;
import io.trimtab.delta.selective.Selective;
import io.trimtab.model.Layer;
import io.trimtab.model.Model;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class MovementTest {
  @TempDir Path directory = Path.of("");
  private Model model;

  @BeforeEach
  void open() {
    model = TinyModels.maskedLm(directory);
  }

  @AfterEach
  void close() {
    model.close();
  }

  static List<DeltaSpec> specs() {
    return List.of(
        Lora.rank(2).on(Address.parse("query,word_embeddings")),
        Ia3.on("key", "1.output.dense").feedForward("1.output.dense"),
        Selective.biases());
  }

  @ParameterizedTest
  @MethodSource("specs")
  void theChangeIsThatOfTheMergedModel(DeltaSpec spec) {
    try (Delta delta = spec.attach(model, Rng.seeded(1))) {
      assertThat(Movement.of(delta))
          .hasSizeGreaterThan(1)
          .allSatisfy(one -> assertThat(one.relative()).isZero());
      TinyModels.move(delta, 2);
      List<Movement> movements = Movement.of(delta);
      try (Model merged = delta.merge();
          Scope _ = Scope.open()) {
        Map<String, Tensor> before = model.tensors();
        Map<String, Tensor> after = merged.tensors();
        assertThat(movements).hasSize(delta.baseTensors().size());
        for (Movement one : movements) {
          float[] a = Objects.requireNonNull(before.get(one.tensor())).toFloats();
          float[] b = Objects.requireNonNull(after.get(one.tensor())).toFloats();
          double change = 0;
          double weight = 0;
          for (int i = 0; i < a.length; i++) {
            change += Math.pow((double) b[i] - a[i], 2);
            weight += Math.pow(a[i], 2);
          }
          assertThat(one.merged()).isTrue();
          assertThat(one.change()).isCloseTo(Math.sqrt(change), within(1e-4 * one.change()));
          assertThat(one.weight()).isCloseTo(Math.sqrt(weight), within(1e-4 * one.weight()));
          assertThat(one.relative()).isPositive();
        }
      }
    }
  }

  /** Every part of every method says how far it moved, at a place that the model has. */
  @Test
  void everyMethodMoves() {
    Set<String> places =
        model
            .root()
            .walk()
            .flatMap(layer -> Stream.concat(Stream.of(layer.path()), tensors(layer)))
            .collect(Collectors.toSet());
    for (DeltaMethod method : DeltaMethods.all()) {
      if (!method.standsAlone()) {
        continue;
      }
      try (Delta delta = method.fromOptions(Map.of(), model).attach(model, Rng.seeded(1))) {
        TinyModels.move(delta, 2);
        List<Movement> movements = Movement.of(delta);
        assertThat(movements).as(method.name()).hasSizeGreaterThanOrEqualTo(delta.parts().size());
        assertThat(movements)
            .as(method.name())
            .allMatch(one -> places.contains(one.tensor()))
            .allMatch(one -> Double.isFinite(one.change()) && one.change() >= 0)
            .allMatch(one -> one.merged() == !Double.isNaN(one.relative()))
            .anyMatch(one -> one.change() > 0);
      }
    }
  }

  private static Stream<String> tensors(Layer layer) {
    return layer.tensors().keySet().stream();
  }

  @Test
  void whatCannotBeMergedShowsItsParameters() {
    try (TinyFamilies models = new TinyFamilies()) {
      Lora withBias = Lora.rank(1).on(Address.parse("attn.Wo layers=0")).outputBias(true);
      try (Delta delta = withBias.attach(models.get("modernbert"), Rng.seeded(1));
          Scope _ = Scope.open()) {
        TinyModels.move(delta, 3);
        double squares =
            delta.parameters().stream()
                .mapToDouble(
                    one -> {
                      double sum = 0;
                      for (float value : one.value().toFloats()) {
                        sum += (double) value * value;
                      }
                      return sum;
                    })
                .sum();
        assertThat(Movement.of(delta))
            .singleElement()
            .satisfies(
                one -> {
                  assertThat(one.merged()).isFalse();
                  assertThat(one.tensor()).isEqualTo("model.layers.0.attn.Wo.weight");
                  assertThat(one.change()).isCloseTo(Math.sqrt(squares), within(1e-4));
                  assertThat(one.relative()).isNaN();
                });
      }
    }
  }
}
