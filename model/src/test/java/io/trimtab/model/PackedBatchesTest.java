package io.trimtab.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.trimtab.tensor.Creation;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Reduction;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** What a row comes to depends on nothing but the row, and what is not asked for is left out. */
class PackedBatchesTest {
  private static final double LIMIT = 1e-5;

  private static Stream<DynamicTest> each(Consumer<Model> check) throws IOException {
    return Tiny.models().stream()
        .map(
            folder ->
                DynamicTest.dynamicTest(
                    String.valueOf(folder.getFileName()),
                    () -> {
                      try (Scope _ = Scope.open();
                          Model model = Tiny.open(folder)) {
                        check.accept(model);
                      }
                    }));
  }

  private static Tensor hidden(Model model, Batch batch) {
    return model.stack().forward(batch, Pass.plain(batch.layout()), null);
  }

  @TestFactory
  Stream<DynamicTest> rowsTogetherAreAsAlone() throws IOException {
    return each(
        model -> {
          Batch batch = Tiny.random(model, 1, 9, 9, 1, 40, 17, 17, 2);
          Tensor together = Tiny.logits(model, batch, Pass.plain(batch.layout()));
          for (int row = 0; row < batch.rows().size(); row++) {
            Batch alone = Batch.of(List.of(batch.rows().get(row)));
            Tensor single = Tiny.logits(model, alone, Pass.plain(alone.layout()));
            Tensor part = Tiny.ofRow(model, together, batch.layout(), row);
            assertThat(Reduction.largestDifference(part, single))
                .as("row " + row)
                .isLessThan(LIMIT);
          }
        });
  }

  @TestFactory
  Stream<DynamicTest> chosenPositionsAreThoseRowsOfAll() throws IOException {
    return each(
        model -> {
          Batch batch = Tiny.random(model, 2, 30, 30, 5, 12, 3);
          int[][] chosen = {{0, 13, 29}, {2, 3, 20}, {}, {11}, {0, 1, 2}};
          Positions wanted = Positions.of(chosen, batch.layout());
          Tensor some = model.stack().forward(batch, Pass.plain(batch.layout()), wanted);
          Tensor all = hidden(model, batch);
          Tensor same = Indexing.select(all, 0, wanted.indices(Device.CPU));
          assertThat(some.size(0)).isEqualTo(10);
          assertThat(Reduction.largestDifference(some, same)).isLessThan(LIMIT);
        });
  }

  @TestFactory
  Stream<DynamicTest> chosenWordsAreThoseColumnsOfAll() throws IOException {
    return each(
        model -> {
          if (model.head(Head.MaskedLm.class).isEmpty()) {
            return;
          }
          Batch batch = Tiny.random(model, 3, 6, 8);
          Pass pass = Pass.plain(batch.layout());
          Positions at = Positions.of(new int[][] {{1}, {0, 7}}, batch.layout());
          Tensor words = Creation.longs(new long[] {90, 3, 3, 41}, 4);
          Tensor some = model.maskedLogits(batch, pass, at, words);
          Tensor all = model.maskedLogits(batch, pass, at, null);
          assertThat(some.shape()).containsExactly(3, 4);
          assertThat(Reduction.largestDifference(some, Indexing.select(all, 1, words)))
              .isLessThan(LIMIT);
        });
  }

  @Test
  void paddingIsLeftOutWhereverItStands() {
    try (Scope _ = Scope.open();
        Model model = Tiny.open(Tiny.bert())) {
      long[][] ids = {{0, 7, 8, 9, 0}, {4, 5, 0, 0, 0}};
      long[][] mask = {{0, 1, 1, 1, 0}, {1, 1, 0, 0, 0}};
      long[][] types = {{0, 0, 1, 1, 0}, {1, 0, 0, 0, 0}};
      Batch padded = Batch.ofPadded(ids, mask, types);
      Batch plain =
          Batch.of(
              List.of(
                  new Batch.Row(new int[] {7, 8, 9}, new int[] {0, 1, 1}),
                  new Batch.Row(new int[] {4, 5}, new int[] {1, 0})));
      assertThat(padded.layout()).isEqualTo(plain.layout());
      assertThat(hidden(model, padded).toFloats()).isEqualTo(hidden(model, plain).toFloats());
    }
  }

  /** Any mixture of lengths: rows of equal length side by side share a block of attention. */
  @Property(tries = 25)
  void anyMixtureOfLengthsIsAsEachAlone(
      @ForAll @Size(min = 1, max = 8) List<@IntRange(min = 1, max = 5) Integer> lengths) {
    Path folder = Tiny.bert();
    try (Scope _ = Scope.open();
        Model model = Tiny.open(folder)) {
      int[] sizes = lengths.stream().mapToInt(Integer::intValue).toArray();
      Batch batch = Tiny.random(model, lengths.hashCode(), sizes);
      Tensor together = hidden(model, batch);
      for (int row = 0; row < sizes.length; row++) {
        Tensor alone = hidden(model, Batch.of(List.of(batch.rows().get(row))));
        Tensor part = Indexing.slice(together, 0, batch.layout().start(row), sizes[row]);
        assertThat(Reduction.largestDifference(part, alone)).isLessThan(LIMIT);
      }
    }
  }
}
