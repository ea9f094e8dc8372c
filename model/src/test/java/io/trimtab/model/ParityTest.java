package io.trimtab.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.trimtab.hub.TensorFile;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Reduction;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Every recorded model computes what transformers computes. */
class ParityTest {
  private static final double LIMIT = 1e-4;

  @Test
  void bertIsThatOfTransformers() {
    checkLikeTransformers(Tiny.bert());
  }

  @TestFactory
  Stream<DynamicTest> everyRecordedModelIsThatOfTransformers() throws IOException {
    if (!Files.isDirectory(Tiny.recorded())) {
      return Stream.of(
          DynamicTest.dynamicTest(
              "recorded models", () -> assumeThat(Tiny.recorded()).as("recordings").exists()));
    }
    List<Path> models = Tiny.models();
    assertThat(models).as("known models among the recordings").isNotEmpty();
    return models.stream()
        .map(
            folder ->
                DynamicTest.dynamicTest(
                    String.valueOf(folder.getFileName()), () -> checkLikeTransformers(folder)));
  }

  private static void checkLikeTransformers(Path folder) {
    try (Scope _ = Scope.open();
        Model model = Tiny.open(folder);
        TensorFile io = Tiny.io(folder)) {
      Batch batch = Tiny.batch(io);
      Pass pass = Pass.plain(batch.layout());
      List<Tensor> states = model.stack().hiddenStates(batch, pass);
      for (int i = 0; i < states.size(); i++) {
        Tensor recorded = Tiny.packed(Tiny.tensor(io, "hidden." + i), batch.layout());
        assertThat(Reduction.largestDifference(states.get(i), recorded))
            .as("hidden state " + i)
            .isLessThan(LIMIT);
      }
      assertThat(io.names()).doesNotContain("hidden." + states.size());
      Tensor logits = Tiny.logits(model, batch, pass);
      Tensor recorded = Tiny.tensor(io, "logits");
      Tensor same = recorded.rank() == 3 ? Tiny.packed(recorded, batch.layout()) : recorded;
      assertThat(Reduction.largestDifference(logits, same)).as("logits").isLessThan(LIMIT);
    }
  }

  @TestFactory
  Stream<DynamicTest> halfPrecisionIsNear() throws IOException {
    return Tiny.models().stream()
        .map(
            folder ->
                DynamicTest.dynamicTest(
                    String.valueOf(folder.getFileName()), () -> checkHalfPrecision(folder)));
  }

  private static void checkHalfPrecision(Path folder) {
    try (Scope _ = Scope.open();
        Model full = Tiny.open(folder);
        Model half = Tiny.open(folder, DType.BF16);
        TensorFile io = Tiny.io(folder)) {
      Batch batch = Tiny.batch(io);
      Pass pass = Pass.plain(batch.layout());
      Tensor logits = Tiny.logits(half, batch, pass);
      assertThat(logits.dtype()).isEqualTo(DType.F32);
      Tensor exact = Tiny.logits(full, batch, pass);
      double error = Reduction.norm(Arithmetic.subtract(logits, exact)).item();
      // The few scores of a classifier of rows average less.
      double bound = exact.elements() < 32 ? 4e-2 : 2e-2;
      assertThat(error / Reduction.norm(exact).item()).isPositive().isLessThan(bound);
    }
  }
}
