package io.trimtab.delta.loha;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trimtab.delta.DeltaException;
import io.trimtab.delta.Dense;
import io.trimtab.delta.LycorisDropout;
import io.trimtab.delta.Part;
import io.trimtab.delta.RankPatterns;
import io.trimtab.model.Layout;
import io.trimtab.model.Linear;
import io.trimtab.model.Pass;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class LohaTest {
  /** Ranks on both sides of where the product over pairs is the cheaper one. */
  @Property(tries = 25)
  void isTheProductNumberByNumberOfTwoLowRankMatrices(
      @ForAll @IntRange(min = 1, max = 12) int out,
      @ForAll @IntRange(min = 1, max = 12) int in,
      @ForAll @IntRange(min = 1, max = 4) int rank) {
    try (Scope _ = Scope.open()) {
      Linear layer = Dense.layer("a.query", out, in);
      Part part = Loha.rank(rank).alpha(3).part(layer, Rng.seeded(1));
      Dense.check(part, layer, (o, i) -> 0);
      Dense.move(part, 2);
      double[] a1 = Dense.numbers(part, "hada_w1_a");
      double[] b1 = Dense.numbers(part, "hada_w1_b");
      double[] a2 = Dense.numbers(part, "hada_w2_a");
      double[] b2 = Dense.numbers(part, "hada_w2_b");
      Dense.check(
          part,
          layer,
          (o, i) -> {
            double first = 0;
            double second = 0;
            for (int k = 0; k < rank; k++) {
              first += a1[o * rank + k] * b1[k * in + i];
              second += a2[o * rank + k] * b2[k * in + i];
            }
            return 3.0 / rank * first * second;
          });
    }
  }

  @Test
  void patternsGiveLayersRanksAndAlphasOfTheirOwn() {
    RankPatterns patterns = new RankPatterns(Map.of("query", 2), Map.of("a\\..*", 6.0));
    assertThat(patterns.rank("a.query", 8)).isEqualTo(2);
    assertThat(patterns.rank("a.query_b", 8)).isEqualTo(8);
    assertThat(patterns.alpha("b.a.query", 1)).isEqualTo(6);
    try (Scope _ = Scope.open()) {
      Linear layer = Dense.layer("a.query", 3, 4);
      Part part = Loha.rank(5).patterns(patterns).part(layer, Rng.seeded(1));
      assertThat(Dense.count(List.of(part))).isEqualTo(2 * 2 * (3 + 4));
    }
  }

  @Test
  void countsAsPublishedForLlama() {
    try (Scope _ = Scope.open()) {
      Loha loha = Loha.rank(32);
      List<Part> block =
          List.of(
              loha.part(Dense.hollow("q", 3072, 3072), Rng.seeded(1)),
              loha.part(Dense.hollow("v", 1024, 3072), Rng.seeded(1)));
      assertThat(28 * Dense.count(block)).isEqualTo(18_350_080);
    }
  }

  @Test
  void leavesOutOutputsAndWholeLayersInTrainingOnly() {
    try (Scope _ = Scope.open()) {
      float[] ones = new float[2 * 1000];
      Arrays.fill(ones, 1);
      var change = Creation.floats(ones, 2, 1000);
      Pass plain = Pass.plain(Layout.ofLengths(2));
      LycorisDropout rows = new LycorisDropout(0.25, true, 0);
      assertThat(rows.apply(change, plain).toFloats()).containsOnly(1);
      float[] dropped = rows.apply(change, plain.training(Rng.seeded(1))).toFloats();
      assertThat(Arrays.copyOf(dropped, 1000)).isEqualTo(Arrays.copyOfRange(dropped, 1000, 2000));
      long zeros = java.util.stream.IntStream.range(0, 1000).filter(i -> dropped[i] == 0).count();
      assertThat(zeros).isBetween(200L, 300L);
      double sum = 0;
      for (int i = 0; i < 1000; i++) {
        sum += dropped[i];
      }
      assertThat(sum).isCloseTo(1000, org.assertj.core.data.Offset.offset(0.1));
      LycorisDropout module = new LycorisDropout(0, false, 0.5);
      double kept = 0;
      for (int seed = 0; seed < 100; seed++) {
        kept += module.apply(change, plain.training(Rng.seeded(seed))).toFloats()[7];
      }
      assertThat(kept).isBetween(35.0, 65.0);
    }
    assertThatThrownBy(() -> new LycorisDropout(0, false, 1))
        .isInstanceOf(DeltaException.class)
        .hasMessageContaining("module dropout");
  }
}
