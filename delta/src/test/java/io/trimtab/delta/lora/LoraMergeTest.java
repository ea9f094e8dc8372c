package io.trimtab.delta.lora;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.TinyModels;
import io.trimtab.hub.Safetensors;
import io.trimtab.hub.TensorFile;
import io.trimtab.hub.TensorInfo;
import io.trimtab.model.Batch;
import io.trimtab.model.Model;
import io.trimtab.model.Pass;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.LinearAlgebra;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Reduction;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Against what PEFT's add_weighted_adapter makes of the same two: see record_merges.py. */
class LoraMergeTest {
  private static final String LAYER = "bert.encoder.layer.0.attention.self.query";

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

  private static TensorFile recorded() {
    try {
      return Safetensors.open(
          Path.of(
              Objects.requireNonNull(LoraMergeTest.class.getResource("merges.safetensors"))
                  .toURI()));
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Tensor read(TensorFile file, String name) {
    TensorInfo info = file.info(name);
    return Creation.copyOf(file.bytes(name), info.dtype(), info.shape());
  }

  private Delta recorded(TensorFile file, String name, double alpha) {
    Delta delta = Lora.rank(3).alpha(alpha).on(LAYER).attach(model, Rng.seeded(1));
    delta.parameters().get(0).assign(read(file, name + ".lora_A"));
    delta.parameters().get(1).assign(read(file, name + ".lora_B"));
    return delta;
  }

  private static Tensor product(Delta merged) {
    List<Parameter> parameters = merged.parameters();
    return LinearAlgebra.matmul(parameters.get(1).value(), parameters.get(0).value());
  }

  private float[] with(Delta delta) {
    return TinyModels.numbers(model, batch, Pass.with(batch.layout(), delta.patches()));
  }

  @ParameterizedTest
  @CsvSource({
    "LINEAR, TOTAL, 1",
    "CAT, TOTAL, 1",
    "SVD, TOTAL, 1",
    "TIES, TOTAL, 0.6",
    "TIES, FREQUENCY, 0.6",
    "TIES_SVD, TOTAL, 0.6",
    "TIES_SVD, FREQUENCY, 0.6",
    "MAGNITUDE_PRUNE, TOTAL, 0.45",
    "MAGNITUDE_PRUNE_SVD, TOTAL, 0.45"
  })
  void makesWhatPeftMakes(LoraMerge.Way way, LoraMerge.Majority majority, double density) {
    try (Scope _ = Scope.open();
        TensorFile file = recorded();
        Delta one = recorded(file, "one", 6);
        Delta two = recorded(file, "two", 4)) {
      LoraMerge.Merged merged =
          LoraMerge.of(List.of(one, two), 0.7, -0.4)
              .way(way)
              .majority(majority)
              .density(density)
              .rank(way == LoraMerge.Way.SVD ? 2 : 0)
              .run();
      try (Delta delta = merged.delta()) {
        String name = way.name().toLowerCase(Locale.ROOT) + "-";
        Tensor expected = read(file, name + majority.name().toLowerCase(Locale.ROOT));
        double largest = Reduction.max(Arithmetic.absolute(expected)).item();
        assertThat(Reduction.largestDifference(product(delta), expected))
            .isLessThan(1e-5 * largest);
      }
    }
  }

  @Test
  void onlyConcatenationIsTheSumAndTheReportSaysHowFarTheOthersAre() {
    try (Delta one = Lora.rank(3).on("query", "word_embeddings").attach(model, Rng.seeded(1));
        Delta two = Lora.rank(2).on("query", "value").attach(model, Rng.seeded(2))) {
      TinyModels.move(one, 3);
      TinyModels.move(two, 4);
      LoraMerge merge = LoraMerge.of(List.of(one, two), 1, 0);
      try (Delta sum = merge.run().delta()) {
        float[] alone = with(one);
        float[] found = with(sum);
        for (int i = 0; i < alone.length; i++) {
          assertThat(found[i]).isCloseTo(alone[i], Offset.offset(1e-3f));
        }
      }
      LoraMerge half = LoraMerge.of(List.of(one, two), 0.5, 0.5);
      LoraMerge.Merged exact = half.run();
      LoraMerge.Merged cut = half.way(LoraMerge.Way.SVD).rank(2).run();
      try (Delta first = exact.delta();
          Delta second = cut.delta()) {
        assertThat(exact.layers())
            .allSatisfy(layer -> assertThat(layer.distance()).isLessThan(1e-6))
            .extracting(LoraReport::rank)
            .containsExactly(3, 5, 2, 5, 2); // the embedding, then two blocks of query and value
        assertThat(first.count()).isGreaterThan(second.count());
        LoraReport query = cut.layers().get(1);
        assertThat(query.energy()).isBetween(0.3, 0.999);
        assertThat(query.distance()).isCloseTo(Math.sqrt(1 - query.energy()), Offset.offset(1e-4));
      }
      assertThatThrownBy(() -> half.way(LoraMerge.Way.LINEAR).run())
          .isInstanceOf(DeltaException.class)
          .hasMessageContaining("ranks [3, 2]")
          .hasMessageContaining("CAT");
    }
  }

  @Test
  void dareIsFixedByItsSeedAndKeepsAllAtFullDensity() {
    try (Scope _ = Scope.open();
        TensorFile file = recorded();
        Delta one = recorded(file, "one", 6);
        Delta two = recorded(file, "two", 4)) {
      for (LoraMerge.Way way :
          List.of(
              LoraMerge.Way.DARE_LINEAR,
              LoraMerge.Way.DARE_LINEAR_SVD,
              LoraMerge.Way.DARE_TIES,
              LoraMerge.Way.DARE_TIES_SVD)) {
        LoraMerge merge = LoraMerge.of(List.of(one, two), 0.7, 0.4).way(way).density(0.5);
        float[] first = numbers(merge.seed(1));
        assertThat(numbers(merge.seed(1))).isEqualTo(first);
        assertThat(numbers(merge.seed(2))).isNotEqualTo(first);
      }
      LoraMerge all = LoraMerge.of(List.of(one, two), 0.7, 0.4);
      assertThat(numbers(all.way(LoraMerge.Way.DARE_LINEAR)))
          .isEqualTo(numbers(all.way(LoraMerge.Way.LINEAR)));
    }
  }

  private static float[] numbers(LoraMerge merge) {
    try (Delta delta = merge.run().delta()) {
      return product(delta).toFloats();
    }
  }

  @Test
  void biasesOfLoraAreSummedToo() {
    Lora lora = Lora.rank(2).on("query").outputBias(true);
    try (Delta one = lora.attach(model, Rng.seeded(1));
        Delta two = Lora.rank(2).on("query").attach(model, Rng.seeded(2))) {
      TinyModels.move(one, 3);
      TinyModels.move(two, 4);
      try (Delta merged = LoraMerge.of(List.of(one, two), 1, 0).run().delta()) {
        float[] expected = with(one);
        float[] found = with(merged);
        for (int i = 0; i < found.length; i++) {
          assertThat(found[i]).isCloseTo(expected[i], Offset.offset(1e-3f));
        }
      }
    }
  }

  @Test
  void whatIsNoPlainLoraIsRefused() {
    try (Delta plain = Lora.rank(2).attach(model, Rng.seeded(1));
        Delta dora = Lora.rank(2).dora(true).attach(model, Rng.seeded(1));
        Delta saving = Lora.rank(2).saving("transform.dense").attach(model, Rng.seeded(1));
        Model other = TinyModels.maskedLm(directory.resolve("other"), 2);
        Delta elsewhere = Lora.rank(2).attach(other, Rng.seeded(1))) {
      for (Delta wrong : List.of(dora, saving)) {
        assertThatThrownBy(() -> LoraMerge.of(List.of(plain, wrong), 1, 1).run())
            .isInstanceOf(DeltaException.Unsupported.class)
            .hasMessageContaining("no plain LoRA");
      }
      assertThatThrownBy(() -> LoraMerge.of(List.of(plain, elsewhere), 1, 1).run())
          .isInstanceOf(DeltaException.class)
          .hasMessageContaining("different models");
      assertThatThrownBy(() -> LoraMerge.of(List.of(plain), 1, 1))
          .isInstanceOf(DeltaException.class)
          .hasMessageContaining("1 LoRAs and 2 weights");
    }
  }
}
