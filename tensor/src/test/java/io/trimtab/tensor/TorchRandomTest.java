package io.trimtab.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The expected numbers were drawn by PyTorch 2.15 itself, in Python. */
class TorchRandomTest {
  private static long[] permutation(long seed, long count) {
    try (Scope _ = Scope.open();
        TorchRandom random = TorchRandom.seeded(seed)) {
      return random.permutation(count).toLongs();
    }
  }

  @Test
  void permutationsArePyTorchs() {
    assertThat(permutation(3, 10)).containsExactly(6, 0, 3, 7, 8, 5, 1, 9, 2, 4);
    assertThat(permutation(777, 1024)).startsWith(103, 249, 319, 701, 999, 360, 217, 998);
  }

  @Test
  void permutationsOfAWholeWeightArePyTorchs() {
    long[] drawn = permutation(777, 768 * 768);
    assertThat(drawn).startsWith(391_271, 183_699, 413_551, 384_200);
    long sum = 0;
    for (int i = 0; i < drawn.length; i++) {
      sum += drawn[i] * i;
    }
    assertThat(sum % 1_000_003).isEqualTo(832_769);
  }

  @Test
  void whatNobodySeededStartsFromOneSeed() {
    assertThat(permutation(TorchRandom.UNSEEDED, 12))
        .containsExactly(6, 5, 9, 10, 2, 3, 8, 11, 7, 0, 1, 4);
  }

  @Test
  void kaimingUniformIsPyTorchs() {
    try (Scope _ = Scope.open();
        TorchRandom random = TorchRandom.seeded(7)) {
      assertThat(random.kaimingUniform(Math.sqrt(5), 3, 4).toFloats())
          .startsWith(0.03492254f, -0.3011968f, 0.1592117f, 0.15689027f)
          .endsWith(0.35494316f, 0.05093521f);
    }
  }

  @Test
  void normalNumbersArePyTorchs() {
    try (Scope _ = Scope.open();
        TorchRandom random = TorchRandom.seeded(5)) {
      float[] drawn = random.normal(20).toFloats();
      float[] expected = {1.8423299f, 0.5188871f, -1.7119213f, -1.7013793f, -0.12966268f};
      IntStream.range(0, expected.length)
          .forEach(
              i ->
                  assertThat(drawn[i])
                      .isCloseTo(expected[i], org.assertj.core.data.Offset.offset(1e-6f)));
    }
  }

  @Test
  void oneGeneratorGoesOnWhereItWas() {
    try (Scope _ = Scope.open();
        TorchRandom random = TorchRandom.seeded(1)) {
      assertThat(random.permutation(5).toLongs()).containsExactly(0, 4, 2, 3, 1);
      assertThat(random.uniform(0, 1, 2).toFloats()).containsExactly(0.029281557f, 0.7998586f);
    }
  }

  @Test
  void generatorsDoNotMeet() {
    try (Scope _ = Scope.open();
        TorchRandom one = TorchRandom.seeded(1);
        TorchRandom other = TorchRandom.seeded(1)) {
      one.permutation(5);
      other.permutation(5);
      assertThat(other.uniform(0, 1, 2).toFloats()).isEqualTo(one.uniform(0, 1, 2).toFloats());
    }
  }
}
