package io.trimtab.delta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.trimtab.hub.ModelDirectory;
import io.trimtab.model.Batch;
import io.trimtab.model.Held;
import io.trimtab.model.Model;
import io.trimtab.model.OpenOptions;
import io.trimtab.model.Pass;
import io.trimtab.model.weights.WeightForm;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.FusedAdamW;
import io.trimtab.tensor.Gradients;
import io.trimtab.tensor.Neural;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * Every method trains over a base in every form as it does over the base's unpacked copy: the same
 * losses, the same results, and merged into an unpacked copy of what it changes.
 */
class EveryMethodOnEveryWeightFormTest {
  @TempDir private Path directory = Path.of("");

  @TestFactory
  Stream<DynamicTest> trainsOverNormalFloatsAsOverTheUnpackedBase() {
    return each(WeightForm.NF4);
  }

  @TestFactory
  @Tag("proof")
  Stream<DynamicTest> trainsOverOtherFormsAsOverTheUnpackedBase() {
    return each(WeightForm.BF16, WeightForm.INT8, WeightForm.INT4);
  }

  private Stream<DynamicTest> each(WeightForm... forms) {
    List<Path> models =
        TinyModels.fixtures("hf").stream()
            .filter(path -> path.endsWith("bert") || path.endsWith("llama"))
            .toList();
    assumeTrue(!models.isEmpty(), "no recorded models at -Dtrimtab.fixtures");
    return models.stream()
        .flatMap(
            path ->
                DeltaMethods.all().stream()
                    .filter(DeltaMethod::standsAlone)
                    .flatMap(
                        method ->
                            Arrays.stream(forms)
                                .map(
                                    form ->
                                        DynamicTest.dynamicTest(
                                            method.name()
                                                + " on "
                                                + path.getFileName()
                                                + " as "
                                                + form,
                                            () -> check(method, path, form)))));
  }

  private void check(DeltaMethod method, Path path, WeightForm form) {
    ModelDirectory files = ModelDirectory.of(path);
    try (Model packed =
            Model.build(
                "tiny", files.config(), files.tensors(), OpenOptions.DEFAULT.weights(form));
        Model plain = unpacked(packed)) {
      Batch batch = TinyModels.batch();
      assertThat(packed.held().values().stream().map(Held::form).distinct().count())
          .as("forms held")
          .isGreaterThan(1);
      DeltaSpec spec = method.fromOptions(Map.of(), packed);
      try (Delta ours = spec.attach(packed, Rng.seeded(1));
          Delta theirs = spec.attach(plain, Rng.seeded(1))) {
        List<Double> losses = new ArrayList<>();
        List<Double> expected = new ArrayList<>();
        for (int step = 0; step < 2; step++) {
          losses.add(train(ours, batch, method.defaultRate()));
          expected.add(train(theirs, batch, method.defaultRate()));
        }
        for (int step = 0; step < losses.size(); step++) {
          assertThat(losses.get(step))
              .as("loss")
              .isCloseTo(
                  expected.get(step),
                  org.assertj.core.api.Assertions.within(1e-3 * (1 + expected.get(step))));
        }
        gradients(ours, theirs, batch);
        Path saved = directory.resolve(method.name() + form + path.getFileName());
        DeltaFiles.save(ours, saved);
        Pass pass = Pass.with(batch.layout(), ours.patches());
        float[] tuned = TinyModels.numbers(packed, batch, pass);
        try (Delta again = DeltaFiles.load(saved, packed)) {
          Pass same = Pass.with(batch.layout(), again.patches());
          assertThat(TinyModels.numbers(packed, batch, same)).as("read back").isEqualTo(tuned);
        }
        merged(ours, batch, tuned);
      }
    }
  }

  /** With the same numbers in both, the same gradients: training differs by rounding alone. */
  private static void gradients(Delta ours, Delta theirs, Batch batch) {
    for (int i = 0; i < ours.parameters().size(); i++) {
      theirs.parameters().get(i).assign(ours.parameters().get(i).value().detach());
    }
    for (Delta each : List.of(ours, theirs)) {
      each.parameters().forEach(Parameter::clearGradient);
      try (Scope _ = Scope.open()) {
        Gradients.backward(loss(each, batch));
      }
    }
    double largest = 0;
    double gap = 0;
    for (int i = 0; i < ours.parameters().size(); i++) {
      float[] a = gradient(ours.parameters().get(i));
      float[] b = gradient(theirs.parameters().get(i));
      for (int j = 0; j < b.length; j++) {
        largest = Math.max(largest, Math.abs(b[j]));
        gap = Math.max(gap, Math.abs(a[j] - b[j]));
      }
    }
    assertThat(gap).as("gradients up to " + largest).isLessThan(1e-4 * (1e-3 + largest));
  }

  private static float[] gradient(Parameter parameter) {
    Tensor gradient = parameter.gradient();
    return gradient == null ? new float[0] : gradient.toFloats();
  }

  private static void merged(Delta delta, Batch batch, float[] tuned) {
    try (Model merged = delta.merge()) {
      float[] results = TinyModels.numbers(merged, batch, Pass.plain(batch.layout()));
      float largest = 0;
      float gap = 0;
      for (int i = 0; i < tuned.length; i++) {
        largest = Math.max(largest, Math.abs(tuned[i]));
        gap = Math.max(gap, Math.abs(results[i] - tuned[i]));
      }
      assertThat(gap).as("merged").isLessThan(2e-5f * (1 + largest));
    } catch (DeltaException.Unsupported e) {
      assertThat(e).hasMessageContaining("merg");
    }
  }

  /** The same model with every matrix unpacked for good. */
  private static Model unpacked(Model model) {
    Map<String, Tensor> all = new LinkedHashMap<>();
    model.tensors().forEach((name, tensor) -> all.put(name, tensor.copy().held()));
    return model.with(all);
  }

  private static double train(Delta delta, Batch batch, double rate) {
    delta.parameters().forEach(Parameter::clearGradient);
    try (Scope _ = Scope.open();
        FusedAdamW adam = new FusedAdamW(delta.parameters(), 0.9, 0.999, 1e-8)) {
      Tensor loss = loss(delta, batch);
      Gradients.backward(loss);
      adam.step(rate, 0);
      return loss.item();
    }
  }

  private static Tensor loss(Delta delta, Batch batch) {
    Pass pass = Pass.with(batch.layout(), delta.patches()).training(Rng.seeded(1));
    Tensor logits = TinyModels.logits(delta.base(), batch, pass);
    long rows = logits.size(0);
    long classes = logits.size(1);
    long[] labels = LongStream.range(0, rows).map(row -> row * 7 % classes).toArray();
    return Neural.crossEntropy(logits, Creation.longs(labels, rows));
  }
}
