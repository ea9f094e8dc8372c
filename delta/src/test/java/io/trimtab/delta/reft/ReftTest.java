package io.trimtab.delta.reft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.TinyModels;
import io.trimtab.model.Batch;
import io.trimtab.model.Model;
import io.trimtab.model.Pass;
import io.trimtab.model.Positions;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ReftTest {
  private static final int WORDS = 40;

  @TempDir Path directory = Path.of("");
  private Model model;

  @BeforeEach
  void open() {
    model = TinyModels.maskedLm(directory.resolve("tiny"));
  }

  @AfterEach
  void close() {
    model.close();
  }

  @ParameterizedTest
  @EnumSource(Reft.Kind.class)
  void startsAsTheBase(Reft.Kind kind) {
    Batch batch = TinyModels.batch();
    try (Delta delta = Reft.of(kind, 2).attach(model, Rng.seeded(1))) {
      assertThat(TinyModels.numbers(model, batch, Pass.with(batch.layout(), delta.patches())))
          .usingComparatorWithPrecision(1e-5f)
          .containsExactly(TinyModels.numbers(model, batch, Pass.plain(batch.layout())));
    }
  }

  @Test
  void tokensInBetweenStayInTheLastBlock() {
    Batch batch = TinyModels.batch();
    float[] plain = TinyModels.numbers(model, batch, Pass.plain(batch.layout()));
    Reft spec = Reft.of(Reft.Kind.LOREFT, 2).at(1, 2, false).inBlocks(List.of(1));
    try (Delta delta = spec.attach(model, Rng.seeded(1))) {
      TinyModels.move(delta, 2);
      float[] changed =
          TinyModels.numbers(model, batch, Pass.with(batch.layout(), delta.patches()));
      for (int row = 0; row < batch.layout().rows(); row++) {
        int length = batch.layout().length(row);
        for (int token = 0; token < length; token++) {
          int at = (batch.layout().start(row) + token) * WORDS;
          boolean same =
              Arrays.equals(
                  Arrays.copyOfRange(plain, at, at + WORDS),
                  Arrays.copyOfRange(changed, at, at + WORDS));
          assertThat(same)
              .as("token %d of row %d", token, row)
              .isEqualTo(token >= 1 && token < length - 2);
        }
      }
    }
  }

  /** The last block computes only tokens that are read, and must still know which these are. */
  @Test
  void tokensReadAloneGetWhatTheyGetAmongAll() {
    Batch batch = TinyModels.batch();
    int[][] chosen = {{2, 4}, {0}, {1, 3, 6}, {}};
    Positions some = Positions.of(chosen, batch.layout());
    try (Delta delta = Reft.of(Reft.Kind.LOREFT, 2).at(1, 1, false).attach(model, Rng.seeded(1))) {
      TinyModels.move(delta, 2);
      Pass pass = Pass.with(batch.layout(), delta.patches());
      float[] all = TinyModels.numbers(model, batch, pass);
      float[] alone;
      try (Scope _ = Scope.open()) {
        alone = model.maskedLogits(batch, pass, some, null).toFloats();
      }
      int next = 0;
      for (int row = 0; row < chosen.length; row++) {
        for (int token : chosen[row]) {
          int at = (batch.layout().start(row) + token) * WORDS;
          for (int word = 0; word < WORDS; word++) {
            assertThat(alone[next++]).isCloseTo(all[at + word], Offset.offset(1e-4f));
          }
        }
      }
      assertThat(next).isEqualTo(alone.length);
    }
  }

  @Test
  void untiedUnitsWithoutTokensAreKeptButNotTrained() {
    try (Delta delta = Reft.of(Reft.Kind.NOREFT, 2).at(3, 0, false).attach(model, Rng.seeded(1))) {
      assertThat(delta.count()).isEqualTo(2L * (2 * 16 + 2 * 16 + 2));
      assertThat(delta.constants()).hasSize(2 * 3);
    }
  }

  @Test
  void whatCannotBeIsRefused() {
    assertThatThrownBy(() -> Reft.of(Reft.Kind.LOREFT, 0))
        .isInstanceOf(DeltaException.class)
        .hasMessageContaining("rank 0");
    assertThatThrownBy(() -> Reft.of(Reft.Kind.LOREFT, 1).at(0, 0, true))
        .hasMessageContaining("at least one token");
    assertThatThrownBy(() -> Reft.of(Reft.Kind.LOREFT, 16).attach(model, Rng.seeded(1)))
        .hasMessageContaining("less than the hidden size 16");
    assertThatThrownBy(
            () -> Reft.of(Reft.Kind.LOREFT, 1).inBlocks(List.of(2)).attach(model, Rng.seeded(1)))
        .isInstanceOf(DeltaException.NoMatch.class)
        .hasMessageContaining("expected 0 to 1");
    assertThatThrownBy(() -> new ReftMethod().fromOptions(Map.of("kind", "best"), model))
        .hasMessageContaining("loreft, noreft or direft");
  }
}
