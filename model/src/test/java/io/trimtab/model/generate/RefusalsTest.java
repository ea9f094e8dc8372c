package io.trimtab.model.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.trimtab.model.Model;
import io.trimtab.model.Patches;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.Tensor;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** What no text or score can be made of is refused, not passed on. */
class RefusalsTest {
  @TestFactory
  Stream<DynamicTest> scoresThatAreNoNumbers() throws IOException {
    return Recorded.each(
        (model, io) -> {
          int[] prompt = Recorded.prompts(io).getFirst();
          String words = model.stacks().getLast().embeddings().words().path() + ".weight";
          Tensor nothing =
              Creation.full(Double.NaN, model.dtype(), model.device(), shape(model, words));
          try (Model broken = model.with(Map.of(words, nothing))) {
            BeamOptions beams = BeamOptions.of(2, 3);
            refused(() -> BeamSearch.of(broken).search(prompt, beams));
            refused(
                () -> TokenGenerator.of(broken).generate(List.of(prompt), GenerateOptions.DEFAULT));
            Scorer scorer = Scorer.of(broken);
            Scorer.Pair pair = new Scorer.Pair(prompt, new int[] {1, 2});
            refused(() -> scorer.score(List.of(pair)));
            refused(() -> scorer.score(List.of(pair, pair)));
            Perplexity.Window window = new Perplexity.Window(4, 2);
            refused(() -> Perplexity.of(broken, Patches.NONE, prompt, window, _ -> {}));
          }
        });
  }

  private static long[] shape(Model model, String tensor) {
    return Objects.requireNonNull(model.tensors().get(tensor)).shape();
  }

  private static void refused(ThrowingCallable work) {
    assertThatThrownBy(work)
        .isInstanceOf(GenerateException.class)
        .hasMessageContaining("overflows");
  }

  /** Vectors that a delta puts before a text take positions too. */
  @TestFactory
  Stream<DynamicTest> textsEndWhereThePositionsBesideASoftPromptDo() throws IOException {
    return Recorded.each(
        (model, io) -> {
          int positions = Limits.positions(model.config()).orElseThrow();
          int[] prompt = Recorded.prompts(io).getFirst();
          Patches soft = SoftPrompt.on(model);
          int room = positions - SoftPrompt.COUNT - prompt.length;
          GenerateOptions options =
              GenerateOptions.DEFAULT
                  .withSampling(Sampling.GREEDY)
                  .withMaxTokens(positions)
                  .withEndTokens(Set.of());
          Sequence made =
              TokenGenerator.of(model).with(soft).generate(List.of(prompt), options).getFirst();
          assertThat(made.tokens()).hasSize(room);
          List<Sequence> found =
              BeamSearch.of(model)
                  .with(soft)
                  .search(prompt, new BeamOptions(2, 1, positions, 0, Optional.of(Set.of())));
          assertThat(found.getFirst().tokens()).hasSize(room);

          Scorer.Pair whole = new Scorer.Pair(prompt, Recorded.ints(made.tokens()));
          assertThat(Scorer.of(model).with(soft).score(List.of(whole)).getFirst().logProbability())
              .isCloseTo(made.logProbability(), within(1e-3));
          Scorer.Pair longer =
              new Scorer.Pair(prompt, Arrays.copyOf(whole.continuation(), room + 2));
          assertThatThrownBy(() -> Scorer.of(model).with(soft).score(List.of(longer)))
              .isInstanceOf(GenerateException.class)
              .hasMessageContaining("beside the 3 vectors");

          int[] text = new int[positions + 5];
          Arrays.setAll(text, i -> i % 90);
          Perplexity.Window fits = Perplexity.Window.of(model, soft);
          assertThat(fits.size()).isEqualTo(positions - SoftPrompt.COUNT);
          assertThat(Perplexity.of(model, soft, text, fits, _ -> {}).tokens())
              .isEqualTo(text.length - 1);
          Perplexity.Window plain = Perplexity.Window.of(model);
          assertThatThrownBy(() -> Perplexity.of(model, soft, text, plain, _ -> {}))
              .isInstanceOf(GenerateException.class);
        });
  }
}
