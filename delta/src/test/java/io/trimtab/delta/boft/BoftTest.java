package io.trimtab.delta.boft;

import static org.assertj.core.api.Assertions.assertThat;

import io.trimtab.delta.Delta;
import io.trimtab.delta.MethodFixture;
import io.trimtab.delta.Part;
import io.trimtab.model.Linear;
import io.trimtab.model.weights.Weight;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.LinearAlgebra;
import io.trimtab.tensor.Matrices;
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

class BoftTest {
  @TempDir Path directory = Path.of("");
  private MethodFixture boft;

  @BeforeEach
  void open() {
    boft = MethodFixture.of("boft", directory);
  }

  @AfterEach
  void close() {
    boft.close();
  }

  @Test
  void hasAsManyNumbersAsTheOriginal() {
    assertThat(
            MethodFixture.countOnLlama(
                linear -> List.of(BoftRotation.create(linear, 4, 1, 0), BoftScale.create(linear))))
        .isEqualTo(802_816);
    try (Delta delta = boft.attach(boft.spec("block_size=2", "factors=2"))) {
      assertThat(delta.parameters().getFirst().value().shape()).containsExactly(2, 8, 2, 2);
      assertThat(delta.parameters().get(1).value().shape()).containsExactly(16, 1);
    }
  }

  @Test
  void startsAsTheBaseBitForBit() {
    try (Delta delta = boft.attach(boft.spec("block_size=2", "factors=3"))) {
      assertThat(boft.with(delta)).isEqualTo(boft.plain());
    }
  }

  @Test
  void factorsReachFurtherThanTheirBlocksAndStayOneRotation() {
    try (Scope _ = Scope.open()) {
      Tensor one = Matrices.identity(8, DType.F64, Device.CPU);
      Linear linear = new Linear("layer", new Weight.Dense(one), null);
      double[][] rows = new double[3][];
      for (int factors = 1; factors <= 3; factors++) {
        Part part = BoftRotation.create(linear, 2, factors, 0);
        Tensor numbers = part.parameters().getFirst().value();
        part.parameters()
            .getFirst()
            .assign(Rng.seeded(1).normal(1, DType.F32, Device.CPU, numbers.shape()));
        Tensor rotation = part.merge("layer.weight", one);
        Tensor lengths = LinearAlgebra.matmul(rotation, rotation.transpose(0, 1));
        assertThat(Reduction.largestDifference(lengths, one)).isLessThan(1e-12);
        rows[factors - 1] = rotation.toDoubles();
        part.parameters().getFirst().close();
      }
      for (int factors = 1; factors <= 3; factors++) {
        int reached = 0;
        for (int i = 0; i < 8; i++) {
          reached += rows[factors - 1][i] == 0 ? 0 : 1;
        }
        assertThat(reached).isEqualTo(1 << factors);
      }
    }
  }

  @Test
  void whatPeftTrainsWithoutCudaIsReadByItsTensors() {
    // There PEFT makes one factor, and its settings go on speaking of two.
    try (Delta delta = boft.moved(boft.spec())) {
      Path folder =
          boft.saved(
              delta, text -> text.replace("butterfly_factor\" : 1", "butterfly_factor\" : 2"));
      try (Delta again = boft.load(folder)) {
        assertThat(boft.with(again)).isEqualTo(boft.with(delta));
        assertThat(((Boft) again.spec()).factors()).isEqualTo(1);
      }
    }
  }

  @Test
  void dropoutLeavesBlocksOutInTrainingOnly() {
    try (Delta dropping = boft.moved(boft.spec("block_size=2", "factors=2", "dropout=0.5"));
        Delta keeping = boft.moved(boft.spec("block_size=2", "factors=2"))) {
      assertThat(boft.with(dropping)).isEqualTo(boft.with(keeping));
      assertThat(boft.training(dropping, 1))
          .isEqualTo(boft.training(dropping, 1))
          .isNotEqualTo(boft.training(dropping, 2));
    }
  }

  @Test
  void optionsThatMakeNoSenseAreRefused() {
    boft.refusesUnknown();
    boft.refuses("2 blocks", "blocks=2", "block_size=4");
    boft.refuses("0 butterfly factors", "factors=0");
    boft.refuses("blocks of size 3", "block_size=3");
    boft.refuses("3 butterfly factors", "block_size=8", "factors=3");
    boft.refuses("40 butterfly factors", "block_size=2", "factors=40");
    boft.refuses("5 blocks", "blocks=5");
    boft.refuses("32 blocks", "blocks=32");
    boft.refuses("dropout -0.1", "dropout=-0.1");
    try (Delta delta = boft.attach(boft.spec())) {
      boft.refusesFile(delta, "bias=boft_only", text -> text.replace("none", "boft_only"));
    }
  }
}
