package io.trimtab.delta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.trimtab.delta.compose.DeltaExpression;
import io.trimtab.delta.prefix.Prefix;
import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Batch;
import io.trimtab.model.Encoded;
import io.trimtab.model.KeyValueCache;
import io.trimtab.model.Model;
import io.trimtab.model.ModelException;
import io.trimtab.model.Pass;
import io.trimtab.model.Patches;
import io.trimtab.model.generate.GenerateOptions;
import io.trimtab.model.generate.Sampling;
import io.trimtab.model.generate.Sequence;
import io.trimtab.model.generate.TokenGenerator;
import io.trimtab.tensor.Gradients;
import io.trimtab.tensor.Reduction;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Prompts and prefixes on an encoder with a decoder: steps, texts, files, and where they act. */
class EncoderDecoderPromptsTest {
  private static final List<String> EXPRESSIONS =
      List.of(
          "prompt",
          "ptuning",
          "prefix",
          "prefix:stacks=each",
          "prefix:stacks=each,positions=kept",
          "prefix:stacks=opendelta,positions=kept,blocks='1,4'",
          "prefix:projection=8",
          "lora:targets=all-linear + prompt",
          "lora + prefix:stacks=each");

  private static final Batch TEXTS =
      Batch.of(List.of(Batch.Row.of(3, 14, 15, 9, 26), Batch.Row.of(9, 7, 9)));
  private static final List<int[]> SOURCES =
      List.of(new int[] {3, 14, 15, 9, 26}, new int[] {9, 7, 9}, new int[] {5, 35, 8});
  private static final int STEPS = 6;

  private static final Batch BEGUN =
      Batch.of(List.of(Batch.Row.of(3, 14, 15, 9), Batch.Row.of(9, 7)));
  private static final Batch LAST = Batch.of(List.of(Batch.Row.of(26), Batch.Row.of(9)));
  private static final Batch WHOLE =
      Batch.of(List.of(Batch.Row.of(3, 14, 15, 9, 26), Batch.Row.of(9, 7, 9)));

  @TempDir private Path folder;

  private static Tensor next(Model model, Patches patches) {
    Encoded encoded = model.encode(TEXTS, Pass.with(TEXTS.layout(), patches));
    return model.nextLogits(WHOLE, Pass.with(WHOLE.layout(), patches).reading(encoded), null);
  }

  private static Tensor inSteps(Model model, Patches patches) {
    try (KeyValueCache cache = new KeyValueCache()) {
      Encoded encoded = model.encode(TEXTS, Pass.with(TEXTS.layout(), patches));
      Pass first = Pass.with(BEGUN.layout(), patches).reading(encoded).caching(cache);
      model.nextLogits(BEGUN, first, null);
      return model.nextLogits(LAST, Pass.with(LAST.layout(), patches).caching(cache), null);
    }
  }

  /** The likeliest tokens one after the other, with a cache. */
  private static List<List<Integer>> texts(Model model, Patches patches, List<int[]> sources) {
    GenerateOptions options =
        GenerateOptions.DEFAULT
            .withSampling(Sampling.GREEDY)
            .withMaxTokens(STEPS)
            .withEndTokens(Set.of());
    return TokenGenerator.of(model).with(patches).generate(sources, options).stream()
        .map(Sequence::tokens)
        .toList();
  }

  /** The same without one. */
  private static List<Integer> plainly(Model model, Patches patches, int[] source) {
    Batch read = Batch.of(List.of(Batch.Row.of(source)));
    Encoded encoded = model.encode(read, Pass.with(read.layout(), patches));
    List<Integer> given = new ArrayList<>(List.of(model.decoderStart()));
    for (int step = 0; step < STEPS; step++) {
      int[] ids = given.stream().mapToInt(Integer::intValue).toArray();
      Batch words = Batch.of(List.of(Batch.Row.of(ids)));
      Pass pass = Pass.with(words.layout(), patches).reading(encoded);
      given.add((int) Reduction.argMax(model.nextLogits(words, pass, null), 1).toLongs()[0]);
    }
    return given.subList(1, given.size());
  }

  @TestFactory
  Stream<DynamicTest> theyActInStepsAndComeBackFromFiles() {
    List<Path> models =
        TinyModels.fixtures("hf").stream()
            .filter(EncoderDecoderPromptsTest::isEncoderDecoder)
            .toList();
    if (models.isEmpty()) {
      return Stream.of(
          DynamicTest.dynamicTest(
              "recorded encoder-decoders",
              () -> assumeTrue(false, "no recorded encoder-decoders at -Dtrimtab.fixtures")));
    }
    return models.stream()
        .flatMap(
            path ->
                EXPRESSIONS.stream()
                    .map(
                        expression ->
                            DynamicTest.dynamicTest(
                                expression + " on " + path.getFileName(),
                                () -> check(path, expression))));
  }

  private void check(Path path, String expression) {
    Path saved = folder.resolve(path.getFileName() + "-" + EXPRESSIONS.indexOf(expression));
    try (Scope _ = Scope.open();
        Model model = TinyModels.open(path);
        Delta delta = DeltaExpression.parse(expression, model).attach(model, Rng.seeded(1))) {
      TinyModels.move(delta, 2);
      Gradients.none(
          () -> {
            Tensor found = next(model, delta.patches());
            assertThat(Reduction.largestDifference(found, next(model, Patches.NONE)))
                .as("what it changes")
                .isGreaterThan(1e-3);
            assertThat(Reduction.largestDifference(found, inSteps(model, delta.patches())))
                .as("steps with a cache")
                .isLessThan(2e-5);
            assertThat(texts(model, delta.patches(), SOURCES))
                .as("texts")
                .isEqualTo(
                    SOURCES.stream()
                        .map(source -> texts(model, delta.patches(), List.of(source)).getFirst())
                        .toList())
                .isEqualTo(
                    SOURCES.stream()
                        .map(source -> plainly(model, delta.patches(), source))
                        .toList());
            DeltaFiles.save(delta, saved);
            if (!expression.contains("+")) { // a composition's files have one for each part
              ModelConfig config = ModelConfig.read(saved.resolve(DeltaFiles.CONFIG));
              assertThat(config.integer("num_transformer_submodules")).isEqualTo(2);
            }
            try (Delta again = DeltaFiles.load(saved, model)) {
              assertThat(Reduction.largestDifference(found, next(model, again.patches())))
                  .as("from its files")
                  .isLessThan(1e-6);
            }
            return delta;
          });
    }
  }

  @Test
  void whatIsOfAnotherNumberOfStacksIsRefused() {
    Path hf = Path.of(System.getProperty("trimtab.fixtures", "missing"), "hf");
    assumeTrue(TinyModels.fixtures("hf").contains(hf.resolve("t5")), "no recorded t5");
    try (Model t5 = TinyModels.open(hf.resolve("t5"));
        Model bert = TinyModels.open(hf.resolve("bert"));
        Delta delta = Prefix.of(2).attach(t5, Rng.seeded(1))) {
      DeltaFiles.save(delta, folder.resolve("t5"));
      assertThatThrownBy(() -> DeltaFiles.load(folder.resolve("t5"), bert))
          .isInstanceOf(DeltaException.class);
      Map<String, String> each = Map.of("stacks", "each");
      assertThatThrownBy(() -> DeltaMethods.named("prefix").fromOptions(each, bert))
          .isInstanceOf(DeltaException.class)
          .hasMessageContaining("expected it for an encoder-decoder");
      Prefix started = Prefix.of(2).startingAs(List.of(3, 4));
      assertThatThrownBy(() -> started.attach(t5, Rng.seeded(1)))
          .isInstanceOf(ModelException.Unsupported.class)
          .hasMessageContaining("found an encoder and a decoder");
    }
  }

  private static boolean isEncoderDecoder(Path path) {
    try (Model model = TinyModels.open(path)) {
      return model.isEncoderDecoder();
    } catch (ModelException.Unsupported e) {
      return false;
    }
  }
}
