package io.trimtab.delta.miss;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaMethods;
import io.trimtab.delta.Dense;
import io.trimtab.delta.Part;
import io.trimtab.delta.TinyModels;
import io.trimtab.model.Linear;
import io.trimtab.model.Model;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import net.jqwik.api.Assume;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MissTest {
  @TempDir Path directory = Path.of("");

  @Property(tries = 25)
  void addsTheSameShardToEveryBlockOfColumns(
      @ForAll @IntRange(min = 1, max = 9) int out,
      @ForAll @IntRange(min = 1, max = 11) int in,
      @ForAll @IntRange(min = 1, max = 5) int rank) {
    Assume.that(rank <= in);
    try (Scope _ = Scope.open()) {
      Linear layer = Dense.layer("a", out, in);
      Part part = Miss.rank(rank).part(layer);
      Dense.check(part, layer, (o, i) -> 0);
      Dense.move(part, 2);
      double[] block = Dense.numbers(part, "miss_block");
      Dense.check(part, layer, (o, i) -> block[i % rank * out + o]);
    }
  }

  @Property(tries = 15)
  void miniRepeatsItAlongTheOutputsToo(
      @ForAll @IntRange(min = 1, max = 4) int repeats,
      @ForAll @IntRange(min = 1, max = 4) int mini,
      @ForAll @IntRange(min = 1, max = 11) int in) {
    int rank = Math.min(3, in);
    try (Scope _ = Scope.open()) {
      Linear layer = Dense.layer("a", repeats * mini, in);
      Part part = Miss.rank(rank).mini(mini).part(layer);
      Dense.move(part, 2);
      double[] block = Dense.numbers(part, "miss_block");
      assertThat(block).hasSize(rank * mini);
      Dense.check(part, layer, (o, i) -> block[i % rank * mini + o % mini]);
    }
  }

  @Property(tries = 15)
  void batDependsOnTheWeightsOwnBlocks(
      @ForAll @IntRange(min = 1, max = 3) int rank,
      @ForAll @IntRange(min = 1, max = 3) int rows,
      @ForAll @IntRange(min = 1, max = 3) int columns) {
    int in = columns * rank;
    try (Scope _ = Scope.open()) {
      Linear layer = Dense.layer("a", rows * rank, in);
      Part part = Miss.rank(rank).bat().part(layer);
      Dense.check(part, layer, (o, i) -> 0);
      Dense.move(part, 2);
      double[] d = Dense.numbers(part, "miss_block");
      double[] weight = layer.weight().dense().toDoubles();
      Dense.check(
          part,
          layer,
          (o, i) -> {
            int group = o / rank * rank * rank;
            double sum = d[group + o % rank * rank + i % rank];
            for (int k = 0; k < rank; k++) {
              sum += weight[o * in + i / rank * rank + k] * d[group + k * rank + i % rank];
            }
            return sum;
          });
    }
  }

  @Test
  void countsAsPublishedForLlama() {
    try (Scope _ = Scope.open()) {
      Linear q = Dense.hollow("q", 3072, 3072);
      Linear v = Dense.hollow("v", 1024, 3072);
      assertThat(28 * count(Miss.rank(64), q, v)).isEqualTo(7_340_032);
      assertThat(28 * count(Miss.rank(64).bat(), q, v)).isEqualTo(7_340_032);
      assertThat(28 * count(Miss.rank(64).mini(64), q, v)).isEqualTo(229_376);
    }
  }

  private static long count(Miss miss, Linear q, Linear v) {
    return Dense.count(List.of(miss.part(q), miss.part(v)));
  }

  @Test
  void optionsChooseTheVariantAndASizeThatFits() {
    DeltaMethod method = DeltaMethods.named("miss");
    try (Model model = TinyModels.maskedLm(directory)) {
      Map<String, String> everywhere = Map.of("targets", "query,output.dense", "variant", "bat");
      try (Delta delta = method.fromOptions(everywhere, model).attach(model, Rng.seeded(1))) {
        assertThat(delta.count()).isEqualTo(2 * (16 + 16 + 16) * 8); // gcd(16, 24) = 8
      }
      assertThatThrownBy(() -> method.fromOptions(Map.of("variant", "bone"), model))
          .isInstanceOf(DeltaException.class)
          .hasMessageContaining("shared, bat or mini");
      assertThatThrownBy(
              () ->
                  method
                      .fromOptions(Map.of("variant", "bat", "rank", "5"), model)
                      .attach(model, Rng.seeded(1)))
          .isInstanceOf(DeltaException.class)
          .hasMessageContaining("rank 5")
          .hasMessageContaining("divisor");
      assertThatThrownBy(() -> Miss.rank(17).attach(model, Rng.seeded(1)))
          .isInstanceOf(DeltaException.class)
          .hasMessageContaining("at most its 16 inputs");
      assertThatThrownBy(() -> Miss.rank(4).dropout(0.1).bat())
          .isInstanceOf(DeltaException.class)
          .hasMessageContaining("bat");
    }
  }
}
