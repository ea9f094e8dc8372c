package io.trimtab.delta.intrinsic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.trimtab.delta.Delta;
import io.trimtab.delta.MethodFixture;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Reduction;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class IntrinsicTest {
  @TempDir Path directory = Path.of("");
  private MethodFixture intrinsic;

  @BeforeEach
  void open() {
    intrinsic = MethodFixture.of("intrinsic", directory);
  }

  @AfterEach
  void close() {
    intrinsic.close();
  }

  @Test
  void trainsAsManyNumbersAsItHasDimensions() {
    try (Delta said = intrinsic.attach(intrinsic.spec("dimension=30"));
        Delta did = intrinsic.attach(intrinsic.spec("dimension=30", "structured=false"))) {
      assertThat(said.count()).isEqualTo(30);
      assertThat(said.parameters()).extracting(p -> p.value().elements()).containsExactly(26L, 4L);
      assertThat(did.count()).isEqualTo(30);
      assertThat(did.parameters()).hasSize(1);
    }
  }

  @ParameterizedTest
  @CsvSource({"1, 1", "3, 100", "100, 3", "64, 64", "700, 5000"})
  void theMapIsLinearAndKeepsLengthsOnTheAverage(int from, int to) {
    try (Scope _ = Scope.open()) {
      Fastfood map = Fastfood.draw("w", from, to, Device.CPU, Rng.seeded(1));
      Rng rng = Rng.seeded(2);
      double squares = 0;
      int draws = 40;
      for (int i = 0; i < draws; i++) {
        Tensor x = rng.normal(1, DType.F64, Device.CPU, from);
        Tensor y = map.apply(x);
        assertThat(y.shape()).containsExactly(to);
        Tensor other = map.apply(Arithmetic.multiply(x, -2));
        assertThat(Reduction.largestDifference(Arithmetic.multiply(y, -2), other)).isLessThan(1e-9);
        double in = Reduction.norm(x).item();
        double out = Reduction.norm(y).item();
        squares += out * out / (in * in) / draws;
      }
      // Of a map to one or three numbers the average over its own draw is meant; not checked here.
      if (to > 50) {
        assertThat(Math.sqrt(squares)).isCloseTo(1, within(0.25));
      }
    }
  }

  @Test
  void everyDirectionOfTheSubspaceDiffers() {
    try (Scope _ = Scope.open()) {
      Fastfood map = Fastfood.draw("w", 8, 64, Device.CPU, Rng.seeded(1));
      double[][] columns = new double[8][];
      for (int i = 0; i < 8; i++) {
        double[] unit = new double[8];
        unit[i] = 1;
        columns[i] = map.apply(Creation.doubles(unit, 8)).toDoubles();
      }
      for (int i = 0; i < 8; i++) {
        for (int j = 0; j < i; j++) {
          double product = 0;
          for (int k = 0; k < 64; k++) {
            product += columns[i][k] * columns[j][k];
          }
          assertThat(Math.abs(product)).isLessThan(0.6);
        }
      }
    }
  }

  @Test
  void eachWeightHasAMapOfItsOwnThatTheSeedFixes() {
    List<float[]> first = changes("seed=7");
    List<float[]> again = changes("seed=7");
    List<float[]> other = changes("seed=8");
    for (int i = 0; i < first.size(); i++) {
      assertThat(again.get(i)).isEqualTo(first.get(i));
      assertThat(other.get(i)).isNotEqualTo(first.get(i));
    }
    assertThat(first.get(0)).isNotEqualTo(first.get(1));
  }

  /** What each weight of zeros becomes. */
  private List<float[]> changes(String seed) {
    try (Delta delta = intrinsic.moved(intrinsic.spec("dimension=50", seed));
        Scope _ = Scope.open()) {
      Tensor zeros = Creation.zeros(DType.F32, Device.CPU, 16, 16);
      return delta.parts().stream()
          .map(part -> part.merge(part.baseTensors().getFirst(), zeros).toFloats())
          .toList();
    }
  }

  @Test
  void aFactorMovesItsWeightAlone() {
    try (Delta delta = intrinsic.moved(intrinsic.spec("dimension=50"));
        Scope _ = Scope.open()) {
      Tensor zeros = Creation.zeros(DType.F32, Device.CPU, 16, 16);
      delta.parameters().get(1).assign(Creation.floats(new float[] {0, 1, 0, 2}, 4));
      List<Double> norms =
          delta.parts().stream()
              .map(part -> Reduction.norm(part.merge(part.baseTensors().getFirst(), zeros)).item())
              .toList();
      assertThat(norms.get(0)).isZero();
      assertThat(norms.get(1)).isPositive();
      assertThat(norms.get(2)).isZero();
      assertThat(norms.get(3)).isPositive();
    }
  }

  @Test
  void aFileIsTheVectorAndTheSeed() {
    try (Delta delta = intrinsic.moved(intrinsic.spec("dimension=40", "seed=9"))) {
      try (Delta again = intrinsic.load(intrinsic.saved(delta, text -> text))) {
        assertThat(intrinsic.with(again)).isEqualTo(intrinsic.with(delta));
        assertThat(again.constants()).noneMatch(again.spec()::isStored);
      }
      intrinsic.refusesFile(delta, "no seed", text -> text.replace("\"seed\"", "\"grain\""));
    }
  }

  @Test
  void optionsThatMakeNoSenseAreRefused() {
    intrinsic.refusesUnknown();
    intrinsic.refuses("dimension 0", "dimension=0");
    intrinsic.refuses("4 weights", "dimension=4");
    intrinsic.refuses("word_embeddings", "targets=cls.predictions.decoder", "structured=false");
  }
}
