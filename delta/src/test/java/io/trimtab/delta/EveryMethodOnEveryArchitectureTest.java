package io.trimtab.delta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.trimtab.model.Batch;
import io.trimtab.model.Model;
import io.trimtab.model.ModelException;
import io.trimtab.model.Pass;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.FusedAdamW;
import io.trimtab.tensor.Gradients;
import io.trimtab.tensor.Neural;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import io.trimtab.tensor.TrimtabException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * What every delta method promises, on every architecture: a method or architecture that is added
 * takes part without a line here, unless the method works on one stack alone.
 */
class EveryMethodOnEveryArchitectureTest {
  /** What knows of one stack alone, and says so where there is an encoder and a decoder. */
  private static final Set<String> ON_ONE_STACK = Set.of("reft");

  @TempDir Path directory = Path.of("");

  @TestFactory
  Stream<DynamicTest> keepsItsPromises() {
    List<Path> models = TinyModels.fixtures("hf");
    assumeTrue(!models.isEmpty(), "no recorded models at -Dtrimtab.fixtures");
    assertThat(DeltaMethods.all()).extracting(DeltaMethod::name).contains("lora", "ia3", "full");
    return models.stream()
        .filter(EveryMethodOnEveryArchitectureTest::isSupported)
        .flatMap(
            path ->
                DeltaMethods.all().stream()
                    .filter(DeltaMethod::standsAlone)
                    .map(
                        method ->
                            DynamicTest.dynamicTest(
                                method.name() + " on " + path.getFileName(),
                                () -> check(method, path))));
  }

  private static boolean isSupported(Path path) {
    try (Model _ = TinyModels.open(path)) {
      return true;
    } catch (ModelException.Unsupported e) {
      return false;
    }
  }

  private void check(DeltaMethod method, Path path) {
    Batch batch = TinyModels.batch();
    try (Model model = TinyModels.open(path)) {
      if (model.isEncoderDecoder() && ON_ONE_STACK.contains(method.name())) {
        assertThatThrownBy(() -> method.fromOptions(Map.of(), model).attach(model, Rng.seeded(1)))
            .isInstanceOf(TrimtabException.class)
            .hasMessageContaining("found an encoder and a decoder");
        return;
      }
      Map<String, ByteBuffer> before = bytes(model);
      float[] plain = TinyModels.numbers(model, batch, Pass.plain(batch.layout()));
      DeltaSpec spec = method.fromOptions(Map.of(), model);
      try (Delta delta = spec.attach(model, Rng.seeded(1))) {
        Pass pass = Pass.with(batch.layout(), delta.patches());
        // Not to the bit: with gradients the engine may choose another attention kernel (DeBERTa).
        assertThat(largestGap(TinyModels.numbers(model, batch, pass), plain))
            .as("distance from the base at the start")
            .isLessThan((float) Math.max(1e-5, method.startsWithin() * largest(plain)));

        double first = train(delta, batch, method.defaultRate());
        train(delta, batch, method.defaultRate());
        train(delta, batch, method.defaultRate());
        try (Scope _ = Scope.open()) {
          assertThat(loss(delta, batch).item()).as("loss").isLessThan(first);
        }

        float[] tuned = TinyModels.numbers(model, batch, pass);
        checkMerge(delta, batch, tuned);
        Path saved = directory.resolve(method.name() + "-" + path.getFileName());
        DeltaFiles.save(delta, saved);
        try (Delta again = DeltaFiles.load(saved, model)) {
          Pass same = Pass.with(batch.layout(), again.patches());
          assertThat(TinyModels.numbers(model, batch, same)).as("read back").isEqualTo(tuned);
        }
      }
      assertThat(bytes(model)).as("the base").isEqualTo(before);
    }
  }

  /** Where a delta can be merged, the merged model alone gives the same results. */
  private static void checkMerge(Delta delta, Batch batch, float[] tuned) {
    try (Model merged = delta.merge()) {
      float[] results = TinyModels.numbers(merged, batch, Pass.plain(batch.layout()));
      assertThat(largestGap(results, tuned)).as("merged").isLessThan(1e-5f * (1 + largest(tuned)));
    } catch (DeltaException.Unsupported e) {
      assertThat(e).hasMessageContaining("merg");
    }
  }

  private static float largest(float[] numbers) {
    return largestGap(numbers, new float[numbers.length]);
  }

  private static float largestGap(float[] a, float[] b) {
    float largest = 0;
    for (int i = 0; i < b.length; i++) {
      largest = Math.max(largest, Math.abs(a[i] - b[i]));
    }
    return largest;
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

  /** Buffers, which are compared at once: a comparison byte by byte took most of the time here. */
  private static Map<String, ByteBuffer> bytes(Model model) {
    Map<String, ByteBuffer> all = new LinkedHashMap<>();
    model
        .tensors()
        .forEach(
            (name, tensor) ->
                all.put(name, ByteBuffer.wrap(tensor.toBytes().toArray(ValueLayout.JAVA_BYTE))));
    return all;
  }
}
