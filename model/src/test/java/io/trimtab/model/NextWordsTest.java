package io.trimtab.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.trimtab.hub.ModelConfig;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.FiniteDifferences;
import io.trimtab.tensor.Gradients;
import io.trimtab.tensor.LinearAlgebra;
import io.trimtab.tensor.Neural;
import io.trimtab.tensor.Reduction;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Losses whose scores are computed some rows at a time. */
class NextWordsTest {
  private static final long[] WORDS = {4, 0, 3, 4, 1, 2, 0};

  private static Tensor doubles(long seed, long... shape) {
    int count = 1;
    for (long size : shape) {
      count *= (int) size;
    }
    return Creation.doubles(new Random(seed).doubles(count, -1, 1).toArray(), shape);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 7, 100})
  void theGradientIsThatOfFiniteDifferences(int together) {
    try (Scope _ = Scope.open()) {
      Tensor weight = doubles(1, 5, 6);
      double error =
          FiniteDifferences.largestError(
              inputs ->
                  Arithmetic.multiply(
                      NextWords.meanLoss(
                          Neural.tanh(inputs.getFirst()),
                          WORDS,
                          NextWords.of(rows -> LinearAlgebra.linear(rows, weight, null)),
                          together),
                      0.7),
              List.of(doubles(2, WORDS.length, 6)));
      assertThat(error).isLessThan(1e-8);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 7})
  void theLossIsTheMeanAndTheScoresTheirSum(int together) {
    try (Scope _ = Scope.open()) {
      Tensor weight = doubles(3, 5, 6);
      Tensor hidden = Gradients.variable(doubles(4, WORDS.length, 6));
      Tensor logits = LinearAlgebra.linear(hidden, weight, null);
      double expected = Neural.crossEntropy(logits, Creation.longs(WORDS, WORDS.length)).item();
      double loss =
          NextWords.meanLoss(
                  hidden,
                  WORDS,
                  NextWords.of(rows -> LinearAlgebra.linear(rows, weight, null)),
                  together)
              .item();
      assertThat(loss).isCloseTo(expected, within(1e-12));
      WordScores scores =
          NextWords.score(
              hidden.detach(), WORDS, rows -> LinearAlgebra.linear(rows, weight, null), together);
      assertThat(scores.logProbability()).isCloseTo(-expected * WORDS.length, within(1e-9));
      long[] best = Reduction.argMax(logits, 1).toLongs();
      int hits = 0;
      for (int i = 0; i < best.length; i++) {
        hits += best[i] == WORDS[i] ? 1 : 0;
      }
      assertThat(scores.hits()).isEqualTo(hits);
      assertThat(scores.words()).isEqualTo(WORDS.length);
    }
  }

  static Stream<Path> decoders() throws IOException {
    return Tiny.models().stream()
        .filter(
            folder -> ModelConfig.read(folder.resolve("io.json")).text("kind").equals("causal"));
  }

  /** With a patch whose gradient is asked for, and one at the head, which goes another way. */
  @ParameterizedTest(allowZeroInvocations = true)
  @MethodSource("decoders")
  void equalsWhatAllScoresTogetherGive(Path folder) {
    try (Scope _ = Scope.open();
        Model model = Tiny.open(folder)) {
      Batch batch = Batch.of(List.of(Batch.Row.of(5, 9, 11, 2, 30), Batch.Row.of(7, 8, 3)));
      Positions at = Positions.of(new int[][] {{1, 3}, {0, 1}}, batch.layout());
      long[] words = {11, 30, 8, 3};
      Linear head = (Linear) model.head(Head.CausalLm.class).orElseThrow().children().getLast();
      Block block = model.stack().blocks().getFirst();
      List<Site<Patch.Output>> sites = List.of(Site.output(block.path()), Site.output(head.path()));
      for (Site<Patch.Output> site : sites) {
        Tensor scale = Gradients.variable(Creation.full(1.1, DType.F32, Device.CPU, 1));
        Patch.Output patch = (input, output, pass) -> Arithmetic.multiply(output, scale);
        Pass pass =
            Pass.with(batch.layout(), Patches.of(java.util.Map.of(site, patch)))
                .training(Rng.seeded(1));
        Tensor together =
            Neural.crossEntropy(
                model.causalLogits(batch, pass, at, null), Creation.longs(words, words.length));
        Tensor apart = model.nextWordLoss(batch, pass, at, words);
        assertThat(apart.item()).isCloseTo(together.item(), within(1e-5));
        assertThat(slope(apart, scale)).isCloseTo(slope(together, scale), within(1e-4));
        WordScores scores = model.scoreNextWords(batch, pass, at, words);
        assertThat(-scores.logProbability() / words.length)
            .isCloseTo(together.item(), within(1e-5));
      }
    }
  }

  private static double slope(Tensor loss, Tensor at) {
    Tensor one = Creation.full(1, DType.F32, Device.CPU, loss.shape());
    return Gradients.of(List.of(loss), List.of(one), List.of(at)).getFirst().item();
  }

  @Test
  void asManyWordsAsTokensAreExpected() {
    try (Model model = Tiny.open(Tiny.bert())) {
      Batch batch = Batch.of(List.of(Batch.Row.of(5, 9)));
      Positions at = Positions.first(batch.layout());
      Pass pass = Pass.plain(batch.layout());
      assertThatThrownBy(() -> model.nextWordLoss(batch, pass, at, new long[] {1, 2}))
          .isInstanceOf(ModelException.class)
          .hasMessageContaining("found 2 words to foretell at 1 tokens");
    }
  }
}
