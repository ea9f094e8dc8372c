package io.trimtab.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.trimtab.tensor.Creation;
import io.trimtab.tensor.Scope;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Embeddings of the parts that an architecture has. */
class EmbeddingsTest {
  private static Embedding table(String path, float... values) {
    return new Embedding(path, Creation.floats(values, values.length / 2, 2));
  }

  /** Models that norm in the first block norm no embeddings, though they may have token types. */
  @Test
  void withoutANormTheyAreTheSumOfTheirTables() {
    try (Scope _ = Scope.open()) {
      Embeddings embeddings =
          new Embeddings(
              "embeddings",
              table("words", 1, 2, 3, 4, 5, 6),
              table("positions", 10, 20, 30, 40),
              table("types", 100, 200, 300, 400),
              null,
              null,
              0);
      Batch batch = Batch.of(List.of(new Batch.Row(new int[] {2, 0}, new int[] {1, 0})));
      Stack stack = new Stack(Stack.Role.ENCODER, "encoder", embeddings, List.of(), null);
      assertThat(stack.forward(batch, Pass.plain(batch.layout()), null).toFloats())
          .containsExactly(315, 426, 131, 242);
    }
  }
}
