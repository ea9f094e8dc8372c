package io.trimtab.delta;

import static org.assertj.core.api.Assertions.assertThat;

import io.trimtab.model.Batch;
import io.trimtab.model.Model;
import io.trimtab.model.Pass;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Gradients;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Reduction;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * Options other than the usual ones keep what every method promises: gradients, merging, files, and
 * where they say so the start.
 */
class OrthogonalAndSparseVariantsTest {
  private static final float STEP = 0x1p-10f;

  /** A method and its options, with {@code !} first where it does not start as the base. */
  private static final List<String> VARIANTS =
      List.of(
          "oft block_size=4 cayley_neumann=false targets=all-linear",
          "oft r=4 block_share=true",
          "oft block_size=8 terms=2",
          "oft block_size=8 terms=7",
          "boft block_size=2 factors=3",
          "boft blocks=2 factors=2 targets=query,output.dense",
          "!hra rank=3 orthogonal=true",
          "hra rank=6 targets=all-linear",
          "road variant=road_2 group_size=8",
          "road variant=road_4 group_size=2 targets=value,intermediate.dense",
          "!c3a block_size=8 start=xavier_uniform",
          "!c3a block_size=4 start=gaussian targets=value,output.dense",
          "!c3a block_size=1 start=kaiming_uniform",
          "!fourierft frequencies=7 scaling=5 seed=3 gaussian=true",
          "fourierft frequencies=200 targets=intermediate.dense",
          "shira rank=1 mask=magnitude targets=all-linear",
          "shira rank=2 seed=5",
          "intrinsic dimension=20 structured=false",
          "intrinsic dimension=300 seed=3 targets=all-linear");

  @TempDir Path directory = Path.of("");

  @TestFactory
  Stream<DynamicTest> keepTheirPromises() {
    return VARIANTS.stream().map(text -> DynamicTest.dynamicTest(text, () -> check(text)));
  }

  private void check(String text) {
    boolean offTheBase = text.startsWith("!");
    String[] words = text.substring(offTheBase ? 1 : 0).split(" ");
    Map<String, String> options =
        Arrays.stream(words)
            .skip(1)
            .map(word -> word.split("=", 2))
            .collect(Collectors.toMap(pair -> pair[0], pair -> pair[1]));
    Path files = directory.resolve(Integer.toHexString(text.hashCode()));
    Batch batch = TinyModels.batch();
    try (Model model = TinyModels.maskedLm(files);
        Delta delta =
            DeltaMethods.named(words[0]).fromOptions(options, model).attach(model, Rng.seeded(1))) {
      Pass pass = Pass.with(batch.layout(), delta.patches());
      float[] plain = TinyModels.numbers(model, batch, Pass.plain(batch.layout()));
      float gap = gap(TinyModels.numbers(model, batch, pass), plain);
      assertThat(gap < 1e-5f).as("starts as the base").isNotEqualTo(offTheBase);

      TinyModels.move(delta, 2);
      float[] moved = TinyModels.numbers(model, batch, pass);
      assertThat(gap(moved, plain)).as("does something").isGreaterThan(1e-4f);
      try (Model merged = delta.merge()) {
        float[] alone = TinyModels.numbers(merged, batch, Pass.plain(batch.layout()));
        assertThat(gap(alone, moved)).as("merged").isLessThan(1e-4f);
      }
      DeltaFiles.save(delta, files.resolve("delta"));
      try (Delta again = DeltaFiles.load(files.resolve("delta"), model)) {
        Pass same = Pass.with(batch.layout(), again.patches());
        assertThat(TinyModels.numbers(model, batch, same)).as("read back").isEqualTo(moved);
        assertThat(again.count()).isEqualTo(delta.count());
      }
      checkGradients(files);
    }
  }

  private static float gap(float[] a, float[] b) {
    float gap = 0;
    for (int i = 0; i < a.length; i++) {
      gap = Math.max(gap, Math.abs(a[i] - b[i]));
    }
    return gap;
  }

  private static void checkGradients(Path files) {
    try (Model model = TinyModels.open(files, DType.F64);
        Delta delta = DeltaFiles.load(files.resolve("delta"), model);
        Scope _ = Scope.open()) {
      delta.parameters().forEach(Parameter::clearGradient);
      Gradients.backward(loss(delta));
      Rng rng = Rng.seeded(3);
      for (Parameter parameter : delta.parameters()) {
        Tensor start = parameter.value().detach().copy();
        Tensor direction = rng.normal(1, DType.F32, Device.CPU, start.shape());
        double up = lossAt(delta, parameter, Arithmetic.addScaled(start, direction, STEP));
        double down = lossAt(delta, parameter, Arithmetic.addScaled(start, direction, -STEP));
        parameter.assign(start);
        Tensor gradient = Objects.requireNonNull(parameter.gradient(), parameter.name());
        double slope = Reduction.sum(Arithmetic.multiply(gradient, direction)).item();
        double scale =
            2e-3 * Reduction.norm(gradient).item() * Math.sqrt((double) start.elements());
        assertThat(slope)
            .as(parameter.name())
            .isCloseTo((up - down) / (2.0 * STEP), Offset.offset(1e-4 + scale));
      }
    }
  }

  private static double lossAt(Delta delta, Parameter parameter, Tensor value) {
    parameter.assign(value);
    return Gradients.none(() -> loss(delta).item());
  }

  private static Tensor loss(Delta delta) {
    Batch batch = TinyModels.batch();
    Pass pass = Pass.with(batch.layout(), delta.patches());
    Tensor logits = TinyModels.logits(delta.base(), batch, pass);
    return Reduction.mean(Arithmetic.multiply(logits, logits));
  }
}
