package io.trimtab.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Gradients;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Reduction;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** One token of one row, computed outside the engine, comes to what the engine computes. */
class DecoderStepTest {
  private static final double LIMIT = 2e-5;
  private static final int LONGEST = 40;

  /**
   * Those of the recorded decoders whose parts are all known to the step; GPT-2's matrices are
   * stored the other way round.
   */
  private static final List<String> ALONE =
      List.of("gemma2", "gemma3", "llama", "mistral", "olmo2", "phi3", "qwen2", "qwen3");

  private static List<Path> decoders() throws IOException {
    List<Path> decoders = new ArrayList<>();
    for (Path folder : Tiny.models()) {
      try (Model model = Tiny.open(folder)) {
        if (model.head(Head.CausalLm.class).isPresent()) {
          decoders.add(folder);
        }
      }
    }
    return decoders;
  }

  private static Tensor next(Model model, Patches patches, KeyValueCache cache, int... ids) {
    Batch batch = Batch.of(List.of(Batch.Row.of(ids)));
    return model.nextLogits(batch, Pass.with(batch.layout(), patches).caching(cache), null);
  }

  /** Scores after each token of a row, computed at once. */
  private static Tensor atOnce(Model model, Patches patches, int[] ids) {
    Batch batch = Batch.of(List.of(Batch.Row.of(ids)));
    return model.causalLogits(batch, Pass.with(batch.layout(), patches), null, null);
  }

  private static void stepByStep(Model model, Patches patches, int[] ids, int prompt) {
    Tensor expected = atOnce(model, patches, ids);
    try (KeyValueCache cache = new KeyValueCache()) {
      next(model, patches, cache, Arrays.copyOf(ids, prompt));
      for (int i = prompt; i < ids.length; i++) {
        try (Scope _ = Scope.open()) {
          Tensor found = next(model, patches, cache, ids[i]);
          assertThat(Reduction.largestDifference(found, Indexing.slice(expected, 0, i, 1)))
              .as("token " + i)
              .isLessThan(LIMIT);
        }
      }
    }
  }

  private static int[] ids(Model model, int count) {
    int vocabulary = model.stack().embeddings().words().rows();
    return new Random(2).ints(count, 0, vocabulary).toArray();
  }

  private static void with(Path folder, Consumer<Model> check) {
    try (Scope _ = Scope.open();
        Model model = Tiny.open(folder)) {
      Gradients.none(
          () -> {
            check.accept(model);
            return folder;
          });
    }
  }

  @TestFactory
  Stream<DynamicTest> tokenByTokenAsAtOnce() throws IOException {
    List<Path> decoders = decoders();
    if (decoders.isEmpty()) {
      return Stream.of(
          DynamicTest.dynamicTest(
              "recorded decoders", () -> assumeThat(decoders).as("recordings").isNotEmpty()));
    }
    return decoders.stream()
        .map(
            folder ->
                DynamicTest.dynamicTest(
                    String.valueOf(folder.getFileName()),
                    () ->
                        with(
                            folder,
                            model -> {
                              int most = model.stack().embeddings().maximumLength().orElse(LONGEST);
                              int[] ids = ids(model, Math.min(LONGEST, most));
                              stepByStep(model, Patches.NONE, ids, 1);
                              stepByStep(model, Patches.NONE, ids, 7);
                            })));
  }

  @TestFactory
  Stream<DynamicTest> theStepIsTaken() throws IOException {
    return decoders().stream()
        .filter(folder -> ALONE.contains(String.valueOf(folder.getFileName())))
        .map(
            folder ->
                DynamicTest.dynamicTest(
                    String.valueOf(folder.getFileName()),
                    () ->
                        with(
                            folder,
                            model ->
                                assertThat(model.blocks())
                                    .allMatch(
                                        block ->
                                            block instanceof DecoderBlock decoder
                                                && decoder.stepsAlone() == Kernels.available()))));
  }

  @Test
  void patchedBlocksAndForkedCachesComeToTheSame() {
    Path folder = Tiny.recorded().resolve("llama");
    assumeThat(folder).exists();
    with(
        folder,
        model -> {
          String second = model.blocks().get(1).path();
          Patches patches =
              Patches.of(
                  Map.of(
                      Site.output(second + ".self_attn.v_proj"),
                      (Patch.Output) (_, output, _) -> Arithmetic.multiply(output, 1.5)));
          int[] ids = ids(model, 20);
          stepByStep(model, patches, ids, 5);
          Tensor expected = atOnce(model, Patches.NONE, ids);
          try (KeyValueCache whole = new KeyValueCache()) {
            next(model, Patches.NONE, whole, Arrays.copyOf(ids, 12));
            try (KeyValueCache fork = whole.fork(1)) {
              for (int i = 12; i < ids.length; i++) {
                Tensor found = next(model, Patches.NONE, fork, ids[i]);
                assertThat(Reduction.largestDifference(found, Indexing.slice(expected, 0, i, 1)))
                    .isLessThan(LIMIT);
              }
              fork.cut(6);
              for (int i = 6; i < 9; i++) {
                Tensor found = next(model, Patches.NONE, fork, ids[i]);
                assertThat(Reduction.largestDifference(found, Indexing.slice(expected, 0, i, 1)))
                    .isLessThan(LIMIT);
              }
            }
            Tensor found = next(model, Patches.NONE, whole, ids[12]);
            assertThat(Reduction.largestDifference(found, Indexing.slice(expected, 0, 12, 1)))
                .isLessThan(LIMIT);
          }
        });
  }

  @Test
  void halfPrecisionGoesThroughTheEngine() {
    Path folder = Tiny.recorded().resolve("llama");
    assumeThat(folder).exists();
    try (Scope _ = Scope.open();
        Model model = Tiny.open(folder, DType.BF16);
        KeyValueCache cache = new KeyValueCache()) {
      Gradients.none(
          () -> {
            next(model, Patches.NONE, cache, 1, 2, 3);
            Tensor found = next(model, Patches.NONE, cache, 4);
            Tensor expected = atOnce(model, Patches.NONE, new int[] {1, 2, 3, 4});
            assertThat(Reduction.largestDifference(found, Indexing.slice(expected, 0, 3, 1)))
                .isLessThan(0.1);
            return cache;
          });
    }
  }
}
