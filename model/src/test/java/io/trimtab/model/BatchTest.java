package io.trimtab.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trimtab.tensor.Device;
import io.trimtab.tensor.Scope;
import java.util.List;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.Test;

/** Batches and positions that no model can compute are refused in words. */
class BatchTest {

  private static AbstractThrowableAssert<?, ? extends Throwable> computing(Batch.Row row) {
    return assertThatThrownBy(
            () -> {
              try (Scope _ = Scope.open();
                  Model model = Tiny.open(Tiny.bert())) {
                Batch batch = Batch.of(List.of(Batch.Row.of(1, 2), row));
                Tiny.logits(model, batch, Pass.plain(batch.layout()));
              }
            })
        .isInstanceOf(ModelException.class);
  }

  @Test
  void aRowThatIsTooLong() {
    computing(Batch.Row.of(new int[65]))
        .hasMessageContaining("found a row of 65 tokens, expected at most 64")
        .hasMessageContaining("truncate");
  }

  @Test
  void theLongestRowIsComputed() {
    try (Scope _ = Scope.open();
        Model model = Tiny.open(Tiny.bert())) {
      assertThat(model.stack().embeddings().maximumLength()).hasValue(64);
      Batch batch = Tiny.random(model, 12, 64);
      assertThat(Tiny.logits(model, batch, Pass.plain(batch.layout())).size(0)).isEqualTo(64);
    }
  }

  @Test
  void aTokenThatIsNotInTheVocabulary() {
    computing(Batch.Row.of(5, 96)).hasMessageContaining("found token number 96, expected 0 to 95");
    computing(Batch.Row.of(-1)).hasMessageContaining("found token number -1");
  }

  @Test
  void aTypeThatTheModelDoesNotHave() {
    computing(new Batch.Row(new int[] {1, 2}, new int[] {0, 2}))
        .hasMessageContaining("found token type 2, expected 0 to 1");
  }

  @Test
  void aRowWithoutTokensOrWithTypesForSomeOnly() {
    assertThatThrownBy(Batch.Row::of)
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("0 tokens");
    assertThatThrownBy(() -> new Batch.Row(new int[] {1, 2}, new int[] {0}))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("2 tokens and 1 token types");
  }

  @Test
  void positionsRiseAndStayInTheirRow() {
    Layout layout = Layout.ofLengths(3, 2);
    assertThatThrownBy(() -> Positions.of(new int[][] {{0}, {2}}, layout))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("found position 2 of row 1");
    assertThatThrownBy(() -> Positions.of(new int[][] {{1, 1}, {}}, layout))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("rising positions");
    assertThatThrownBy(() -> Positions.of(new int[][] {{0}}, layout))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("found positions for 1 rows")
        .hasMessageContaining("2 rows");
  }

  @Test
  void positionsCountThroughThePackedRows() {
    try (Scope _ = Scope.open()) {
      Layout layout = Layout.ofLengths(3, 2, 4);
      Positions positions = Positions.of(new int[][] {{0, 2}, {}, {3}}, layout);
      assertThat(positions.indices(Device.CPU).toLongs()).containsExactly(0, 2, 8);
      assertThat(positions.layout()).isEqualTo(Layout.ofLengths(2, 0, 1));
      assertThat(Positions.first(layout).indices(Device.CPU).toLongs()).containsExactly(0, 3, 5);
      assertThat(layout.part(1, 3)).isEqualTo(Layout.ofLengths(2, 4));
    }
  }
}
