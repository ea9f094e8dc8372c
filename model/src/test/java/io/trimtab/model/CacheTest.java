package io.trimtab.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.trimtab.hub.TensorFile;
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
import java.util.function.BiConsumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** With a cache as without: whatever is kept of earlier tokens, the next ones come to the same. */
class CacheTest {
  private static final double LIMIT = 2e-5;

  static Stream<DynamicTest> each(BiConsumer<Model, Path> check) throws IOException {
    List<Path> decoders = new ArrayList<>();
    for (Path folder : Tiny.models()) {
      try (Model model = Tiny.open(folder)) {
        if (model.head(Head.CausalLm.class).isPresent()) {
          decoders.add(folder);
        }
      }
    }
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
                    () -> {
                      try (Scope _ = Scope.open();
                          Model model = Tiny.open(folder)) {
                        Gradients.none(
                            () -> {
                              check.accept(model, folder);
                              return null;
                            });
                      }
                    }));
  }

  private static Tensor next(Model model, KeyValueCache cache, int[]... rows) {
    Batch batch = Batch.of(Arrays.stream(rows).map(Batch.Row::of).toList());
    return model.nextLogits(batch, Pass.plain(batch.layout()).caching(cache), null);
  }

  /** What each whole row leads to, each computed alone and without a cache. */
  private static Tensor alone(Model model, int[]... rows) {
    List<Tensor> each = new ArrayList<>();
    for (int[] row : rows) {
      Batch batch = Batch.of(List.of(Batch.Row.of(row)));
      each.add(model.nextLogits(batch, Pass.plain(batch.layout()), null));
    }
    return Indexing.concat(each, 0);
  }

  static int[] joined(int[] row, int... more) {
    return IntStream.concat(Arrays.stream(row), Arrays.stream(more)).toArray();
  }

  static int[][] rows(Model model, long seed, int... lengths) {
    return Tiny.random(model, seed, lengths).rows().stream()
        .map(Batch.Row::ids)
        .toArray(int[][]::new);
  }

  static void same(Tensor found, Tensor expected, String what) {
    assertThat(Reduction.largestDifference(found, expected)).as(what).isLessThan(LIMIT);
  }

  @TestFactory
  Stream<DynamicTest> greedyTextIsThatOfTransformers() throws IOException {
    return each(
        (model, folder) -> {
          List<List<Integer>> recorded = Tiny.greedy(folder);
          try (TensorFile io = Tiny.io(folder);
              KeyValueCache cache = new KeyValueCache()) {
            Batch prompts = Tiny.batch(io);
            int[][] rows = prompts.rows().stream().map(Batch.Row::ids).toArray(int[][]::new);
            int[][] now = rows;
            int steps = recorded.getFirst().size() - rows[0].length;
            for (int step = 0; step < steps; step++) {
              long[] best = Reduction.argMax(next(model, cache, now), 1).toLongs();
              now = Arrays.stream(best).mapToObj(id -> new int[] {(int) id}).toArray(int[][]::new);
              for (int row = 0; row < rows.length; row++) {
                rows[row] = joined(rows[row], now[row]);
              }
            }
            for (int row = 0; row < rows.length; row++) {
              assertThat(Arrays.stream(rows[row]).boxed().toList())
                  .as("row " + row)
                  .isEqualTo(recorded.get(row));
            }
          }
        });
  }

  @TestFactory
  Stream<DynamicTest> leftPaddedRowsGiveWhatTransformersGives() throws IOException {
    return each(
        (model, folder) -> {
          try (TensorFile io = Tiny.io(folder)) {
            Batch batch =
                Batch.ofPadded(
                    Tiny.matrix(io, "left_input_ids"),
                    Tiny.matrix(io, "left_attention_mask"),
                    new long[0][]);
            Tensor found = model.nextLogits(batch, Pass.plain(batch.layout()), null);
            assertThat(Reduction.largestDifference(found, Tiny.tensor(io, "left_last_logits")))
                .isLessThan(1e-4);
          }
        });
  }

  @TestFactory
  Stream<DynamicTest> piecesOfAnyLengthAreAsTheWhole() throws IOException {
    return each(
        (model, folder) -> {
          int[][] rows = rows(model, 4, 11, 11, 7, 4);
          int[][] more = rows(model, 5, 3, 1, 3, 5);
          int[][] last = rows(model, 6, 1, 1, 1, 1);
          try (KeyValueCache cache = new KeyValueCache()) {
            same(next(model, cache, rows), alone(model, rows), "prompts");
            int[][] longer = new int[rows.length][];
            Arrays.setAll(longer, row -> joined(rows[row], more[row]));
            same(next(model, cache, more), alone(model, longer), "unequal pieces");
            Arrays.setAll(longer, row -> joined(longer[row], last[row]));
            same(next(model, cache, last), alone(model, longer), "single tokens");
            assertThat(cache.rows()).isEqualTo(4);
            assertThat(cache.length(3)).isEqualTo(10);
          }
        });
  }

  @TestFactory
  Stream<DynamicTest> rowsCanBeDroppedAndCutBack() throws IOException {
    return each(
        (model, folder) -> {
          int[][] rows = rows(model, 7, 9, 9, 9, 5);
          try (KeyValueCache all = new KeyValueCache()) {
            next(model, all, rows);
            try (KeyValueCache some = all.select(3, 0, 2)) {
              Tensor found = next(model, some, new int[] {8}, new int[] {9}, new int[] {10});
              Tensor expected =
                  alone(model, joined(rows[3], 8), joined(rows[0], 9), joined(rows[2], 10));
              same(found, expected, "after a selection");
              some.cut(3, 10, 4);
              int[] short3 = Arrays.copyOf(rows[3], 3);
              int[] short2 = Arrays.copyOf(rows[2], 4);
              found = next(model, some, new int[] {1, 2}, new int[] {3}, new int[] {4});
              expected =
                  alone(
                      model,
                      joined(short3, 1, 2),
                      joined(joined(rows[0], 9), 3),
                      joined(short2, 4));
              same(found, expected, "after a cut");
            }
            Tensor found =
                next(model, all, new int[] {5}, new int[] {6}, new int[] {7}, new int[] {8});
            int[][] longer = new int[4][];
            Arrays.setAll(longer, row -> joined(rows[row], row + 5));
            same(found, alone(model, longer), "the first, which stayed as it was");
          }
        });
  }

  @TestFactory
  Stream<DynamicTest> continuationsShareWhatTheyHaveInCommon() throws IOException {
    return each(
        (model, folder) -> {
          int[][] rows = rows(model, 8, 12, 6);
          try (KeyValueCache prompt = new KeyValueCache()) {
            next(model, prompt, rows);
            try (KeyValueCache fork = prompt.fork(3)) {
              assertThat(fork.rows()).isEqualTo(6);
              int[][] whole = new int[6][];
              Arrays.setAll(whole, row -> rows[row / 3]);
              for (int step = 0; step < 4; step++) {
                int[][] now = rows(model, 20 + step, 1, 1, 1, 1, 1, 1);
                Arrays.setAll(whole, row -> joined(whole[row], now[row]));
                same(next(model, fork, now), alone(model, whole), "step " + step);
              }
              try (KeyValueCache again = fork.fork(2).select(0, 1, 11)) {
                int[][] now = rows(model, 31, 2, 2, 1);
                int[][] further = {
                  joined(whole[0], now[0]), joined(whole[0], now[1]), joined(whole[5], now[2])
                };
                same(next(model, again, now), alone(model, further), "a fork of a fork");
              }
              fork.cut(10, 10, 10, 3, 3, 3);
              Arrays.setAll(whole, row -> Arrays.copyOf(rows[row / 3], row < 3 ? 10 : 3));
              int[][] now = rows(model, 33, 1, 1, 1, 1, 1, 1);
              Arrays.setAll(whole, row -> joined(whole[row], now[row]));
              same(next(model, fork, now), alone(model, whole), "cut into what is shared");
            }
            int[][] now = rows(model, 34, 1, 1);
            int[][] longer = {joined(rows[0], now[0]), joined(rows[1], now[1])};
            same(next(model, prompt, now), alone(model, longer), "the prompts themselves");
          }
        });
  }

  @Test
  void whatDoesNotFitIsRefused() throws IOException {
    Path folder = Tiny.recorded().resolve("llama");
    assumeThat(folder).exists();
    try (Scope _ = Scope.open();
        Model model = Tiny.open(folder);
        KeyValueCache cache = new KeyValueCache()) {
      Gradients.none(() -> next(model, cache, new int[] {1, 2}, new int[] {3}));
      Layout three = Layout.ofLengths(1, 1, 1);
      assertThatThrownBy(() -> Pass.plain(three).caching(cache))
          .isInstanceOf(ModelException.class)
          .hasMessageContaining("2 rows for a batch of 3");
      assertThatThrownBy(() -> cache.cut(3, 1)).hasMessageContaining("expected 0 to 2");
      assertThatThrownBy(() -> cache.cut(1)).hasMessageContaining("2 rows");
      assertThatThrownBy(() -> cache.select(2)).hasMessageContaining("row 2");
      assertThatThrownBy(() -> cache.select(0, -1)).hasMessageContaining("row -1");
      assertThatThrownBy(() -> cache.fork(0)).hasMessageContaining("at least one");
    }
  }
}
