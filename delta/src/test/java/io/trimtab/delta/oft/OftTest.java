package io.trimtab.delta.oft;

import static org.assertj.core.api.Assertions.assertThat;

import io.trimtab.delta.Delta;
import io.trimtab.delta.MethodFixture;
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
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OftTest {
  @TempDir Path directory = Path.of("");
  private MethodFixture oft;

  @BeforeEach
  void open() {
    oft = MethodFixture.of("oft", directory);
  }

  @AfterEach
  void close() {
    oft.close();
  }

  @Test
  void hasAsManyNumbersAsTheOriginal() {
    Oft thirtyTwoBlocks = Oft.blocks(32);
    assertThat(
            MethodFixture.countOnLlama(
                linear -> List.of(OftLinear.create(linear, thirtyTwoBlocks))))
        .isEqualTo(8_171_520);
    try (Delta delta = oft.attach(oft.spec("block_size=4", "block_share=true"))) {
      assertThat(delta.count()).isEqualTo(4 * 6);
      assertThat(delta.parameters())
          .allSatisfy(p -> assertThat(p.value().shape()).containsExactly(1, 6));
    }
  }

  private static Tensor skew(double size) {
    Tensor upper = Rng.seeded(1).normal(size, DType.F64, Device.CPU, 2, 6);
    return Matrices.skewSymmetric(upper, 4);
  }

  @Test
  void cayleysTransformIsARotation() {
    try (Scope _ = Scope.open()) {
      Tensor turned = Rotations.cayley(skew(1));
      Tensor one = Matrices.identity(4, DType.F64, Device.CPU);
      Tensor lengths = LinearAlgebra.matmul(turned, turned.transpose(1, 2));
      assertThat(Reduction.largestDifference(lengths, Indexing.expand(one, 2, 4, 4)))
          .isLessThan(1e-12);
    }
  }

  @Test
  void theSeriesTurnsTheOtherWayThanTheExactTransform() {
    // So it is in PEFT: a file trained with one must not be read as the other.
    try (Scope _ = Scope.open()) {
      Tensor skew = skew(0.02);
      Tensor back = Rotations.cayley(Arithmetic.negate(skew));
      assertThat(Reduction.largestDifference(Rotations.neumann(skew, 6), back)).isLessThan(1e-6);
      assertThat(Reduction.largestDifference(Rotations.cayley(skew), back)).isGreaterThan(1e-2);
      assertThat(
              Reduction.largestDifference(Rotations.neumann(skew, 3), Rotations.neumann(skew, 4)))
          .isZero();
    }
  }

  @Test
  void aSizeThatDoesNotDivideIsRefusedWhenAskedForAndFittedWhenUsual() {
    oft.refuses("the nearest is 4", "block_size=5");
    oft.refuses("3 blocks", "r=3");
    try (Delta delta = oft.attach(oft.spec())) { // 32 is more than the 16 inputs
      assertThat(delta.parameters())
          .allSatisfy(p -> assertThat(p.value().shape()).containsExactly(1, 16 * 15 / 2));
    }
  }

  @Test
  void coftStaysWithinItsBoundWithoutThePatchTouchingTheParameter() {
    Oft spec = (Oft) oft.spec("block_size=8", "coft=true", "eps=0.1");
    try (Delta delta = oft.moved(spec);
        Delta free = oft.moved(spec.radius(0))) {
      float[] before = delta.parameters().getFirst().value().toFloats();
      float[] results = oft.with(delta);
      assertThat(delta.parameters().getFirst().value().toFloats()).isEqualTo(before);
      assertThat(results).isNotEqualTo(oft.with(free));

      delta.rule().afterStep(1, 10);
      assertThat(gap(oft.with(delta), results)).isLessThan(1e-5f);
      try (Scope _ = Scope.open()) {
        Tensor numbers = delta.parameters().getFirst().value();
        for (long block = 0; block < 2; block++) {
          double norm = Reduction.norm(Indexing.at(numbers, 0, block)).item();
          assertThat(norm * Math.sqrt(2)).isLessThanOrEqualTo(0.1 / Math.sqrt(2) * 1.0001);
        }
      }
    }
  }

  private static float gap(float[] a, float[] b) {
    float gap = 0;
    for (int i = 0; i < a.length; i++) {
      gap = Math.max(gap, Math.abs(a[i] - b[i]));
    }
    return gap;
  }

  @Test
  void dropoutLeavesBlocksOutInTrainingOnly() {
    // PEFT 0.21 has the setting and never applies it.
    try (Delta dropping = oft.moved(oft.spec("block_size=4", "dropout=0.5"));
        Delta keeping = oft.moved(oft.spec("block_size=4"))) {
      assertThat(oft.with(dropping)).isEqualTo(oft.with(keeping));
      assertThat(oft.training(dropping, 1))
          .isEqualTo(oft.training(dropping, 1))
          .isNotEqualTo(oft.training(dropping, 2))
          .isNotEqualTo(oft.with(keeping));
      assertThat(oft.training(keeping, 1)).isEqualTo(oft.with(keeping));
    }
    try (Scope _ = Scope.open()) {
      Tensor blocks = Rng.seeded(2).normal(1, DType.F32, Device.CPU, 4, 3, 3);
      Tensor some = Rotations.drop(blocks, 0.5, Rng.seeded(3));
      Tensor one = Matrices.identity(3, DType.F32, Device.CPU);
      int dropped = 0;
      for (long i = 0; i < 4; i++) {
        Tensor block = Indexing.at(some, 0, i);
        boolean isOne = Reduction.largestDifference(block, one) == 0;
        dropped += isOne ? 1 : 0;
        if (!isOne) {
          assertThat(Reduction.largestDifference(block, Indexing.at(blocks, 0, i)))
              .isLessThan(1e-6);
        }
      }
      assertThat(dropped).isEqualTo(2);
    }
  }

  @Test
  void optionsThatMakeNoSenseAreRefused() {
    oft.refusesUnknown();
    oft.refuses("2 blocks", "r=2", "block_size=4");
    oft.refuses("eps", "eps=0.1");
    oft.refuses("eps=-1.0", "coft=true", "eps=-1");
    oft.refuses("terms", "cayley_neumann=false", "terms=3");
    oft.refuses("terms=1", "terms=1");
    oft.refuses("dropout 1.0", "dropout=1");
    oft.refuses("word_embeddings", "targets=word_embeddings");
  }

  @Test
  void filesThatMeanSomethingElseAreRefused() {
    try (Delta delta = oft.attach(oft.spec("block_size=4"))) {
      oft.refusesFile(delta, "before 0.18.0", text -> text.replace("0.18.0", "0.17.1"));
      oft.refusesFile(delta, "before 0.18.0", text -> text.replace("peft_version", "old"));
      oft.refusesFile(delta, "before 0.18.0", text -> text.replace("oft_block_size", "old"));
      oft.refusesFile(delta, "bias=all", text -> text.replace("\"none\"", "\"all\""));
      oft.refusesFile(
          delta,
          "fan_in_fan_out",
          text -> text.replace("\"fan_in_fan_out\" : false", "\"fan_in_fan_out\" : true"));
      Path newer = oft.saved(delta, text -> text.replace("0.18.0", "1.0.0"));
      oft.load(newer).close();
    }
  }
}
