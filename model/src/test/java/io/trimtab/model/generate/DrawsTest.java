package io.trimtab.model.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

class DrawsTest {
  @Test
  void everyPlaceHasItsOwnNumberWhateverTheOrder() {
    Set<Double> all = new HashSet<>();
    for (long seed = 0; seed < 4; seed++) {
      for (int[] prompt : new int[][] {{}, {0}, {1}, {0, 1}, {1, 0}}) {
        for (int sample = 0; sample < 10; sample++) {
          for (int step = 9; step >= 0; step--) {
            double drawn = Draws.of(seed, prompt, sample).at(step);
            assertThat(drawn).isBetween(0.0, Math.nextDown(1.0));
            assertThat(Draws.of(seed, prompt, sample).at(step)).isEqualTo(drawn);
            all.add(drawn);
          }
        }
      }
    }
    assertThat(all).hasSize(4 * 5 * 10 * 10);
  }

  @Test
  void numbersAreUniformOverSamplesAndOverSteps() {
    double overSamples = 0;
    double overSteps = 0;
    double products = 0;
    int count = 20_000;
    for (int i = 0; i < count; i++) {
      double here = Draws.of(7, new int[] {3, 1}, i).at(0);
      overSamples += here;
      overSteps += Draws.of(7, new int[] {3, 1}, 0).at(i);
      products += (here - 0.5) * (Draws.of(7, new int[] {3, 1}, i + 1).at(0) - 0.5);
    }
    // Five standard errors: 5 · √(1/12 / 20,000), and 5 · 1/12 / √20,000.
    assertThat(overSamples / count).isCloseTo(0.5, within(0.0103));
    assertThat(overSteps / count).isCloseTo(0.5, within(0.0103));
    assertThat(products / count).isCloseTo(0, within(0.003));
  }
}
