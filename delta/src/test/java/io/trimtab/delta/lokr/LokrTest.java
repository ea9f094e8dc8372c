package io.trimtab.delta.lokr;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trimtab.delta.DeltaException;
import io.trimtab.delta.Dense;
import io.trimtab.delta.Part;
import io.trimtab.model.Linear;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class LokrTest {
  @Property(tries = 40)
  void isAKroneckerProduct(
      @ForAll @IntRange(min = 1, max = 24) int out,
      @ForAll @IntRange(min = 1, max = 24) int in,
      @ForAll @IntRange(min = 1, max = 3) int rank,
      @ForAll @IntRange(min = 0, max = 8) int factor,
      @ForAll boolean both) {
    int wanted = factor == 0 ? -1 : factor;
    try (Scope _ = Scope.open()) {
      Linear layer = Dense.layer("a", out, in);
      Lokr lokr = Lokr.rank(rank).alpha(2).factor(wanted).both(both);
      Part part = lokr.part(layer, Rng.seeded(1));
      Dense.check(part, layer, (o, i) -> 0);
      Dense.move(part, 2);
      int a = (int) Factors.of(out, wanted).small();
      int c = (int) Factors.of(in, wanted).small();
      double[] first = dense(part, "lokr_w1", a, c, rank);
      double[] second = dense(part, "lokr_w2", out / a, in / c, rank);
      int b = out / a;
      int d = in / c;
      Dense.check(
          part, layer, (o, i) -> 2.0 / rank * first[o / b * c + i / d] * second[o % b * d + i % d]);
    }
  }

  private static double[] dense(Part part, String name, int rows, int columns, int rank) {
    if (part.parameters().stream().map(Parameter::name).anyMatch(n -> n.endsWith("." + name))) {
      return Dense.numbers(part, name);
    }
    double[] left = Dense.numbers(part, name + "_a");
    double[] right = Dense.numbers(part, name + "_b");
    double[] product = new double[rows * columns];
    for (int row = 0; row < rows; row++) {
      for (int column = 0; column < columns; column++) {
        for (int k = 0; k < rank; k++) {
          product[row * columns + column] += left[row * rank + k] * right[k * columns + column];
        }
      }
    }
    return product;
  }

  @Test
  void dividesSizesAsLycorisDoes() {
    assertThat(Factors.of(256, -1)).isEqualTo(new Factors(16, 16));
    assertThat(Factors.of(128, -1)).isEqualTo(new Factors(8, 16));
    assertThat(Factors.of(127, -1)).isEqualTo(new Factors(1, 127));
    assertThat(Factors.of(128, 4)).isEqualTo(new Factors(4, 32));
    assertThat(Factors.of(56, 5)).isEqualTo(new Factors(4, 14));
    assertThat(Factors.of(32, 16)).isEqualTo(new Factors(16, 2));
  }

  @Test
  void countsAsPublishedForLlama() {
    try (Scope _ = Scope.open()) {
      Lokr lokr = Lokr.rank(32).factor(4);
      List<Part> block =
          List.of(
              lokr.part(Dense.hollow("q", 3072, 3072), Rng.seeded(1)),
              lokr.part(Dense.hollow("v", 1024, 3072), Rng.seeded(1)));
      assertThat(28 * Dense.count(block)).isEqualTo(2_294_656);
    }
  }

  @Test
  void refusesAFactorOfNothing() {
    assertThatThrownBy(() -> Lokr.rank(4).factor(0))
        .isInstanceOf(DeltaException.class)
        .hasMessageContaining("factor 0");
  }
}
