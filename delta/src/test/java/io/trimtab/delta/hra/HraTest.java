package io.trimtab.delta.hra;

import static org.assertj.core.api.Assertions.assertThat;

import io.trimtab.delta.Delta;
import io.trimtab.delta.MethodFixture;
import io.trimtab.delta.Part;
import io.trimtab.model.Linear;
import io.trimtab.model.weights.Weight;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.LinearAlgebra;
import io.trimtab.tensor.Matrices;
import io.trimtab.tensor.Reduction;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HraTest {
  @TempDir Path directory = Path.of("");
  private MethodFixture hra;

  @BeforeEach
  void open() {
    hra = MethodFixture.of("hra", directory);
  }

  @AfterEach
  void close() {
    hra.close();
  }

  @Test
  void hasOneVectorOfInputsAReflection() {
    try (Delta delta = hra.attach(hra.spec("rank=6"))) {
      assertThat(delta.count()).isEqualTo(4 * 6 * 16);
      assertThat(delta.parameters().getFirst().value().shape()).containsExactly(16, 6);
    }
  }

  @Test
  void theThinFormIsTheProductOfTheReflections() {
    try (Scope _ = Scope.open()) {
      Tensor one = Matrices.identity(6, DType.F32, Device.CPU);
      Linear linear = new Linear("layer", new Weight.Dense(one), null);
      Part part = HraLinear.create(linear, 3, false, Rng.seeded(1));
      Tensor vectors = part.parameters().getFirst().value();
      Tensor product = one;
      for (long i = 0; i < 3; i++) {
        product = LinearAlgebra.matmul(product, reflection(Indexing.at(vectors, 1, i), one));
      }
      assertThat(Reduction.largestDifference(part.merge("layer.weight", one), product))
          .isLessThan(1e-6);
      part.parameters().getFirst().close();
    }
  }

  private static Tensor reflection(Tensor vector, Tensor one) {
    Tensor column = vector.reshape(-1, 1);
    Tensor outer = LinearAlgebra.matmul(column, column.transpose(0, 1));
    double squared = Reduction.sum(Arithmetic.power(vector, 2)).item();
    return Arithmetic.addScaled(one, outer, -2 / squared);
  }

  @Test
  void orthogonalVectorsAreReflectedInAllAtOnce() {
    try (Scope _ = Scope.open()) {
      Tensor one = Matrices.identity(6, DType.F32, Device.CPU);
      Linear linear = new Linear("layer", new Weight.Dense(one), null);
      Part part = HraLinear.create(linear, 4, true, Rng.seeded(1));
      Tensor vectors = part.parameters().getFirst().value();
      Tensor turned = LinearAlgebra.matmul(part.merge("layer.weight", one), vectors);
      assertThat(Reduction.largestDifference(turned, Arithmetic.negate(vectors))).isLessThan(1e-5);
      part.parameters().getFirst().close();
    }
  }

  @Test
  void optionsThatMakeNoSenseAreRefused() {
    hra.refusesUnknown();
    hra.refuses("rank 0", "rank=0");
    hra.refuses("take 8", "rank=7"); // PEFT warns, and starts off the base
    hra.refuses("rank 17 of orthogonal vectors", "rank=17", "orthogonal=true");
    try (Delta delta = hra.attach(hra.spec())) {
      hra.refusesFile(delta, "bias=hra_only", text -> text.replace("none", "hra_only"));
    }
  }

  @Test
  void filesOfAnOddRankAreRead() {
    try (Delta delta = hra.moved(Hra.rank(3))) {
      try (Delta again = hra.load(hra.saved(delta, text -> text))) {
        assertThat(hra.with(again)).isEqualTo(hra.with(delta));
      }
    }
  }
}
