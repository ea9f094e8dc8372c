package io.trimtab.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class FewShotTest {
  private static final List<Example> EXAMPLES =
      IntStream.range(0, 12)
          .mapToObj(i -> new Example("t" + i, List.of("b", "a", "c").get(i % 3)))
          .toList();

  @Test
  void splitMixGivesThePublishedNumbers() {
    // The sequence that is commonly published for this seed, also recomputed from the paper's
    // definition with Python's integers.
    SplitMix64 random = new SplitMix64(1234567);

    assertThat(List.of(random.nextLong(), random.nextLong(), random.nextLong()))
        .containsExactly(
            6457827717110365317L,
            3203168211198807973L,
            Long.parseUnsignedLong("9817491932198370423"));
    assertThat(new SplitMix64(random.state()).nextLong()).isEqualTo(4593380528125082431L);
  }

  @Test
  void boundedNumbersAreEven() {
    SplitMix64 random = new SplitMix64(3);
    int[] counts = new int[7];
    for (int i = 0; i < 70_000; i++) {
      counts[random.nextInt(7)]++;
    }
    // Standard deviation sqrt(70,000 / 7 * 6 / 7) = 93; five of them.
    for (int count : counts) {
      assertThat(count).isBetween(9_535, 10_465);
    }
    assertThatThrownBy(() -> random.nextInt(0)).isInstanceOf(SettingException.class);
  }

  @Test
  void theDrawIsTheSameEverywhere() {
    // Recomputed by a second implementation of the documented algorithm, in Python.
    FewShot draw = FewShot.sample(EXAMPLES, 2, 42);

    assertThat(draw.picked().stream().map(Example::text))
        .containsExactly("t10", "t0", "t2", "t11", "t3", "t4");
    assertThat(draw.rest().stream().map(Example::text))
        .containsExactly("t1", "t5", "t6", "t7", "t8", "t9");
  }

  @Property(tries = 200)
  void exactlyKOfEachClassAndNothingLost(
      @ForAll long seed, @ForAll @IntRange(min = 1, max = 4) int k) {
    FewShot draw = FewShot.sample(EXAMPLES, k, seed);

    assertThat(
            draw.picked().stream()
                .collect(Collectors.groupingBy(Example::label, Collectors.counting())))
        .containsOnlyKeys("a", "b", "c")
        .allSatisfy((label, count) -> assertThat(count).isEqualTo(k));
    List<Example> all = new ArrayList<>(draw.picked());
    all.addAll(draw.rest());
    assertThat(all).containsExactlyInAnyOrderElementsOf(EXAMPLES);
    if (k > 1) {
      assertThat(draw.picked()).containsAll(FewShot.sample(EXAMPLES, k - 1, seed).picked());
    }
  }

  @Test
  void seedsDiffer() {
    assertThat(FewShot.sample(EXAMPLES, 2, 1).picked())
        .isNotEqualTo(FewShot.sample(EXAMPLES, 2, 2).picked());
  }

  @Test
  void equalExamplesAreDrawnOneByOne() {
    List<Example> twins = List.of(new Example("t", "x"), new Example("t", "x"));

    FewShot draw = FewShot.sample(twins, 1, 0);

    assertThat(draw.picked()).hasSize(1);
    assertThat(draw.rest()).hasSize(1);
  }

  @Test
  void tooFewOfAClass() {
    assertThatThrownBy(() -> FewShot.sample(EXAMPLES, 5, 0))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("the class \"a\" has 4 examples, 5 were asked for");
    assertThatThrownBy(() -> FewShot.sample(EXAMPLES, 0, 0)).isInstanceOf(SettingException.class);
    assertThatThrownBy(() -> FewShot.sample(List.of(), 1, 0)).isInstanceOf(DataException.class);
  }
}
