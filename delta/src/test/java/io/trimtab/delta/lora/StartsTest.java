package io.trimtab.delta.lora;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trimtab.delta.Address;
import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaFiles;
import io.trimtab.delta.TinyModels;
import io.trimtab.model.Batch;
import io.trimtab.model.Linear;
import io.trimtab.model.Model;
import io.trimtab.model.Pass;
import io.trimtab.model.weights.Weight;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Decompositions;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.LinearAlgebra;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Reduction;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.nio.file.Path;
import java.util.List;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StartsTest {
  private static final double SCALE = 2;

  @TempDir Path directory = Path.of("");
  private Model model;
  private final Batch batch = TinyModels.batch();

  @BeforeEach
  void open() {
    model = TinyModels.maskedLm(directory.resolve("tiny"));
  }

  @AfterEach
  void close() {
    model.close();
  }

  private static Linear layer(Tensor weight) {
    return new Linear("layer", new Weight.Dense(weight), null);
  }

  private static Tensor product(LoraStart.Factors factors) {
    return LinearAlgebra.matmul(factors.up(), factors.down());
  }

  private float[] with(Delta delta) {
    return TinyModels.numbers(model, batch, Pass.with(batch.layout(), delta.patches()));
  }

  @Test
  void pissaHoldsTheLargestSingularValues() {
    try (Scope _ = Scope.open()) {
      Tensor weight = Rng.seeded(1).normal(1, DType.F32, Device.CPU, 9, 7);
      LoraStart.Factors pissa = Starts.PISSA.of(layer(weight), weight, 3, SCALE, Rng.seeded(2));
      Tensor rest =
          Arithmetic.addScaled(weight, product(pissa), -SCALE); // what PEFT's base becomes
      double[] all = Decompositions.svd(weight).values().toDoubles();
      double[] left = Decompositions.svd(rest).values().toDoubles();
      for (int i = 0; i < 4; i++) {
        assertThat(left[i]).isCloseTo(all[i + 3], Offset.offset(1e-5));
      }
      Tensor low =
          LinearAlgebra.matmul(
              Rng.seeded(3).normal(1, DType.F32, Device.CPU, 9, 3),
              Rng.seeded(4).normal(1, DType.F32, Device.CPU, 3, 7));
      LoraStart.Factors fast = new FastPissa(2).of(layer(low), low, 3, SCALE, Rng.seeded(2));
      assertThat(Reduction.largestDifference(Arithmetic.multiply(product(fast), SCALE), low))
          .isLessThan(1e-4);
    }
  }

  @Test
  void oloraHoldsTheFirstColumnsOfTheWeight() {
    try (Scope _ = Scope.open()) {
      Tensor weight = Rng.seeded(1).normal(1, DType.F32, Device.CPU, 9, 7);
      LoraStart.Factors olora = Starts.OLORA.of(layer(weight), weight, 3, SCALE, Rng.seeded(2));
      Tensor gap = Arithmetic.subtract(product(olora), weight);
      // The first three columns of a triangular R need the first three of Q only.
      assertThat(Reduction.norm(io.trimtab.tensor.Indexing.slice(gap, 1, 0, 3)).item())
          .isLessThan(1e-5);
    }
  }

  @Test
  void theOrthogonalStartIsRandomOnBothSidesAndZeroInTheProduct() {
    try (Scope _ = Scope.open()) {
      Tensor weight = Creation.zeros(DType.F32, Device.CPU, 9, 7);
      LoraStart.Factors start =
          Starts.ORTHOGONAL.of(layer(weight), weight, 4, SCALE, Rng.seeded(2));
      assertThat(Reduction.norm(start.down()).item()).isGreaterThan(0.1);
      assertThat(Reduction.norm(start.up()).item()).isGreaterThan(0.1);
      assertThat(Reduction.norm(product(start)).item()).isLessThan(1e-6);
      assertThatThrownBy(() -> Starts.ORTHOGONAL.of(layer(weight), weight, 3, SCALE, Rng.seeded(2)))
          .isInstanceOf(DeltaException.class)
          .hasMessageContaining("rank 3")
          .hasMessageContaining("even");
    }
  }

  @Test
  void theGaussianStartHasTheRanksInverseAsDeviation() {
    try (Scope _ = Scope.open()) {
      Tensor weight = Creation.zeros(DType.F32, Device.CPU, 2, 4000);
      LoraStart.Factors start = Starts.GAUSSIAN.of(layer(weight), weight, 4, SCALE, Rng.seeded(2));
      double square = Reduction.mean(Arithmetic.power(start.down(), 2)).item();
      assertThat(Math.sqrt(square)).isCloseTo(0.25, Offset.offset(0.01));
      assertThat(Reduction.norm(start.up()).item()).isZero();
    }
  }

  @Test
  void micaTrainsTheMinorDirectionsOnly() {
    Lora mica = Lora.rank(2).start(Starts.MICA).training(Lora.Trained.A);
    try (Delta delta = mica.attach(model, Rng.seeded(1))) {
      assertThat(delta.parameters()).allMatch(each -> each.name().endsWith("lora_A.weight"));
      assertThat(delta.constants()).allMatch(each -> each.name().endsWith("lora_B.weight"));
      assertThat(with(delta))
          .isEqualTo(TinyModels.numbers(model, batch, Pass.plain(batch.layout())));
      TinyModels.move(delta, 2);
      float[] tuned = with(delta);
      DeltaFiles.save(delta, directory.resolve("mica"));
      try (Delta read = DeltaFiles.load(directory.resolve("mica"), model)) {
        assertThat(with(read)).isEqualTo(tuned);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"pissa", "pissa_niter_3", "olora"})
  void whatIsSubtractedKeepsTheStartAndGoesIntoTheFileAsTwiceTheRank(String start) {
    Lora lora =
        Lora.rank(3).on("query", "output.dense", "word_embeddings").start(LoraStart.named(start));
    float[] plain = TinyModels.numbers(model, batch, Pass.plain(batch.layout()));
    try (Delta delta = lora.attach(model, Rng.seeded(1))) {
      assertThat(delta.rule().state()).hasSize(2 * 6); // A₀ and B₀ of six linear layers
      float[] begun = with(delta);
      for (int i = 0; i < plain.length; i++) {
        assertThat(begun[i]).isCloseTo(plain[i], Offset.offset(1e-4f));
      }
      TinyModels.move(delta, 2);
      float[] tuned = with(delta);
      try (Delta copy = delta.copy()) {
        assertThat(with(copy)).as("a copy").isEqualTo(tuned);
      }
      DeltaFiles.save(delta, directory.resolve("saved"));
      try (Delta read = DeltaFiles.load(directory.resolve("saved"), model)) {
        Lora written = (Lora) read.spec();
        assertThat(written.start()).isEqualTo(Starts.KAIMING);
        assertThat(written.scaling().rank()).isEqualTo(6);
        assertThat(written.scaling().alpha()).isEqualTo(12); // the scale stays 2
        assertThat(written.scaling().rank("bert.embeddings.word_embeddings")).isEqualTo(3);
        assertThat(read.rule().state()).isEmpty();
        float[] found = with(read);
        for (int i = 0; i < tuned.length; i++) {
          assertThat(found[i]).isCloseTo(tuned[i], Offset.offset(1e-5f * 30));
        }
      }
      assertThat(with(delta)).as("saving changes nothing").isEqualTo(tuned);
    }
  }

  @Test
  void aRankAboveTheMatrixIsRefused() {
    assertThatThrownBy(() -> Lora.rank(17).start(Starts.PISSA).attach(model, Rng.seeded(1)))
        .isInstanceOf(DeltaException.class)
        .hasMessageContaining("rank 17")
        .hasMessageContaining("at most 16");
  }

  @Test
  void aStartOfOnesOwnMayLookAtTheLayerAndIsSubtracted() {
    LoraStart ones =
        (layer, weight, rank, scale, rng) ->
            new LoraStart.Factors(
                Creation.full(
                    layer.path().contains("query") ? 1 : 2,
                    DType.F32,
                    Device.CPU,
                    rank,
                    weight.size(1)),
                Creation.full(1, DType.F32, Device.CPU, weight.size(0), rank));
    try (Delta delta = Lora.rank(2).start(ones).attach(model, Rng.seeded(1))) {
      float[] plain = TinyModels.numbers(model, batch, Pass.plain(batch.layout()));
      float[] begun = with(delta);
      for (int i = 0; i < plain.length; i++) {
        assertThat(begun[i]).isCloseTo(plain[i], Offset.offset(1e-3f));
      }
      List<Parameter> parameters = delta.parameters();
      assertThat(parameters.get(0).value().toFloats()).containsOnly(1f);
      assertThat(parameters.get(2).value().toFloats()).containsOnly(2f);
    }
    LoraStart wrong = (layer, weight, rank, scale, rng) -> new LoraStart.Factors(weight, weight);
    assertThatThrownBy(() -> Lora.rank(2).start(wrong).attach(model, Rng.seeded(1)))
        .isInstanceOf(DeltaException.class)
        .hasMessageContaining("expected [2, 16] and [16, 2]");
  }

  @Test
  void evaFindsTheDirectionsThatInputsHave() {
    Address at = Address.parse("query,intermediate.dense");
    Eva eva =
        Eva.observe(
            model,
            at,
            4,
            patches -> {
              for (int i = 0; i < 3; i++) {
                model
                    .embed(batch, Pass.with(batch.layout(), patches), Model.Pooling.MEAN, false)
                    .close();
              }
            });
    assertThat(eva.paths()).hasSize(4);
    try (Delta delta = Lora.rank(4).on(at).start(eva).attach(model, Rng.seeded(1));
        Scope _ = Scope.open()) {
      assertThat(with(delta))
          .isEqualTo(TinyModels.numbers(model, batch, Pass.plain(batch.layout())));
      assertThat(delta.rule().state()).isEmpty(); // B is zero: nothing to subtract
      // The inputs of a layer of queries in the first block are the embeddings.
      Linear query =
          (Linear) model.layer("bert.encoder.layer.0.attention.self.query").orElseThrow();
      java.util.concurrent.atomic.AtomicReference<Tensor> seen =
          new java.util.concurrent.atomic.AtomicReference<>();
      model.embed(
          batch,
          Pass.with(
              batch.layout(),
              io.trimtab.model.Patches.of(
                  java.util.Map.of(
                      io.trimtab.model.Site.output(query.path()),
                      (io.trimtab.model.Patch.Output)
                          (input, output, pass) -> {
                            seen.set(Creation.floats(input.toFloats(), input.shape()).held());
                            return output;
                          }))),
          Model.Pooling.MEAN,
          false);
      Tensor inputs = java.util.Objects.requireNonNull(seen.get());
      Tensor directions = delta.parameters().getFirst().value().detach();
      Tensor best = io.trimtab.tensor.Indexing.slice(Decompositions.svd(inputs).vt(), 0, 0, 4);
      double most = Reduction.norm(LinearAlgebra.linear(inputs, best, null)).item();
      double held = Reduction.norm(LinearAlgebra.linear(inputs, directions, null)).item();
      assertThat(held).isCloseTo(most, Offset.offset(1e-3 * most));
      inputs.close();
    }
    assertThatThrownBy(() -> Lora.rank(5).on(at).start(eva).attach(model, Rng.seeded(1)))
        .isInstanceOf(DeltaException.class)
        .hasMessageContaining("4 directions");
    assertThatThrownBy(() -> Lora.rank(4).on("key").start(eva).attach(model, Rng.seeded(1)))
        .isInstanceOf(DeltaException.class)
        .hasMessageContaining("0 directions");
  }

  @Test
  void anUnknownStartIsRefused() {
    assertThatThrownBy(() -> LoraStart.named("loftq"))
        .isInstanceOf(DeltaException.Unsupported.class)
        .hasMessageContaining("loftq")
        .hasMessageContaining("olora");
  }
}
