package io.trimtab.model.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Filters and penalties against values worked out by hand. */
class CandidatesTest {
  /** Tokens 0, 1, … of the given probabilities. */
  private static Candidates of(double... probabilities) {
    float[] scores = new float[probabilities.length];
    for (int i = 0; i < scores.length; i++) {
      scores[i] = (float) Math.log(probabilities[i]);
    }
    return Candidates.of(scores);
  }

  @Test
  void temperatureIsAPowerOfProbabilities() {
    // Squares of 1/2, 1/3, 1/6 are as 9, 4, 1.
    assertThat(of(1 / 2.0, 1 / 3.0, 1 / 6.0).temperature(0.5).probabilities())
        .containsExactly(new double[] {9 / 14.0, 4 / 14.0, 1 / 14.0}, within(1e-6));
  }

  @Test
  void topKKeepsTheBestAndTheirEquals() {
    assertThat(of(0.1, 0.4, 0.2, 0.3).topK(2).tokens()).containsExactly(1, 3);
    assertThat(of(0.1, 0.4, 0.1, 0.3, 0.1).topK(3).tokens()).containsExactly(0, 1, 2, 3, 4);
    assertThat(of(0.1, 0.9).topK(0).tokens()).containsExactly(0, 1);
    assertThat(of(0.1, 0.9).topK(5).tokens()).containsExactly(0, 1);
  }

  @Test
  void topPKeepsTheFewestThatReachTheMass() {
    Candidates four = of(0.1, 0.4, 0.2, 0.3);
    assertThat(four.topP(0.35).tokens()).containsExactly(1);
    assertThat(four.topP(0.6).tokens()).containsExactly(1, 3);
    assertThat(four.topP(0.85).tokens()).containsExactly(1, 2, 3);
    assertThat(four.topP(1).tokens()).hasSize(4);
    assertThat(four.topP(1e-9).tokens()).containsExactly(1);
    // Among equals, the lowest numbers.
    assertThat(of(0.25, 0.25, 0.25, 0.25).topP(0.45).tokens()).containsExactly(0, 1);
  }

  @Test
  void minPIsAPartOfTheBestProbability() {
    Candidates four = of(0.1, 0.4, 0.2, 0.3);
    assertThat(four.minP(0.45).tokens()).containsExactly(1, 2, 3);
    assertThat(four.minP(0.6).tokens()).containsExactly(1, 3);
    assertThat(four.minP(1).tokens()).containsExactly(1);
    assertThat(four.minP(0).tokens()).hasSize(4);
  }

  @Test
  void typicalKeepsWhatIsNearestToTheEntropy() {
    // Of 0.5, 0.25, 0.25 the entropy is 1.0397; informations 0.6931 and 1.3863 are 0.3466 off both.
    // Of 0.7, 0.2, 0.1: entropy 0.8018; distances 0.4451, 0.8076, 1.5008.
    // Of 0.4, 0.4, 0.2: entropy 1.0549; distances 0.1386, 0.1386, 0.5545.
    assertThat(of(0.7, 0.2, 0.1).typical(0.5).tokens()).containsExactly(0);
    assertThat(of(0.7, 0.2, 0.1).typical(0.8).tokens()).containsExactly(0, 1);
    assertThat(of(0.4, 0.2, 0.4).typical(0.1).tokens()).containsExactly(0, 2);
    // Of 0.9 and ten times 0.01: entropy 0.5553; 0.9 is 0.4500 off, 0.01 is 4.0499 off.
    // Of 0.3, 0.07 × 10: entropy 2.2227; 0.3 is 1.0187 off, 0.07 is 0.4366: the best one goes.
    double[] flat = {0.3, 0.07, 0.07, 0.07, 0.07, 0.07, 0.07, 0.07, 0.07, 0.07, 0.07};
    assertThat(of(flat).typical(0.5).tokens()).containsExactly(1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
  }

  @Test
  void drawsLieSideBySide() {
    Candidates three = of(0.5, 0.3, 0.2);
    assertThat(three.draw(0)).isZero();
    assertThat(three.draw(0.499)).isZero();
    assertThat(three.draw(0.501)).isEqualTo(1);
    assertThat(three.draw(0.799)).isEqualTo(1);
    assertThat(three.draw(0.801)).isEqualTo(2);
    assertThat(three.draw(Math.nextDown(1.0))).isEqualTo(2);
    assertThat(three.best()).isZero();
  }

  @Test
  void penaltiesActOnTheirTokensAlone() {
    float[] scores = {2, -2, 1, 0.5f};
    Penalties.repetition(scores, List.of(0, 1), 1.25);
    assertThat(scores).containsExactly(1.6f, -2.5f, 1, 0.5f);
    Penalties.counted(scores, Map.of(2, 3), 0.25, 0.5);
    assertThat(scores).containsExactly(1.6f, -2.5f, -0.25f, 0.5f);
    Penalties.bias(scores, Map.of(3, 1.5, 0, Double.NEGATIVE_INFINITY));
    assertThat(scores).containsExactly(Float.NEGATIVE_INFINITY, -2.5f, -0.25f, 2);
    assertThat(Candidates.of(scores).tokens()).containsExactly(1, 2, 3);
    assertThatThrownBy(() -> Penalties.bias(scores, Map.of(4, 1.0)))
        .isInstanceOf(GenerateException.class)
        .hasMessageContaining("one of the model's 4 tokens");
  }

  @Test
  void theOrderIsPenaltiesTemperatureThenFilters() {
    Sampling both = Sampling.PLAIN.withTopK(2).withTopP(0.7).withTemperature(2);
    // Token 0 is forbidden. Of 0.6, 0.25, 0.15 left, top-k leaves two; their square roots are as
    // 0.608 and 0.392 (0.706 without the temperature), so that top-p keeps both.
    float[] scores = {5, (float) Math.log(0.6), (float) Math.log(0.25), (float) Math.log(0.15)};
    Sampling forbidding = both.withBias(Map.of(0, Double.NEGATIVE_INFINITY));
    assertThat(forbidding.choose(scores.clone(), List.of(), Map.of(), 0.6)).isEqualTo(1);
    assertThat(forbidding.choose(scores.clone(), List.of(), Map.of(), 0.62)).isEqualTo(2);
    assertThat(
            forbidding
                .withTemperature(1)
                .choose(scores.clone(), List.of(), Map.of(), Math.nextDown(1.0)))
        .isEqualTo(1);
    assertThat(Sampling.GREEDY.choose(scores.clone(), List.of(), Map.of(), 0.9)).isZero();
  }

  @Test
  void impossibleSettingsAreRefused() {
    refused(() -> Sampling.PLAIN.withTemperature(-1), "temperature -1.0");
    refused(() -> Sampling.PLAIN.withTemperature(Double.NaN), "temperature NaN");
    refused(() -> Sampling.PLAIN.withTopK(-1), "top-k -1");
    refused(() -> Sampling.PLAIN.withTopP(0), "top-p 0.0");
    refused(() -> Sampling.PLAIN.withMinP(1.5), "min-p 1.5");
    refused(() -> Sampling.PLAIN.withTypicalP(0), "typical 0.0");
    refused(() -> Sampling.PLAIN.withPenalties(0, 0, 0), "repetition penalty 0.0");
    refused(() -> Sampling.PLAIN.withPenalties(1, Double.NaN, 0), "frequency penalty NaN");
    refused(() -> Sampling.PLAIN.withBias(Map.of(-1, 0.0)), "bias -1=0.0");
    refused(() -> GenerateOptions.DEFAULT.withSamples(0), "samples 0");
    refused(() -> GenerateOptions.DEFAULT.withTokens(0, 0), "max tokens 0");
    refused(() -> GenerateOptions.DEFAULT.withTokens(5, 4), "min tokens 5");
    refused(() -> GenerateOptions.DEFAULT.withStop(""), "empty text");
    refused(
        () -> GenerateOptions.DEFAULT.withSampling(Sampling.GREEDY).withSamples(2),
        "all would be the same");
    refused(() -> new Perplexity.Window(4, 4), "stride 4");
    refused(() -> BeamOptions.of(0, 5), "beams 0");
    refused(() -> Candidates.of(new float[] {Float.NEGATIVE_INFINITY}), "every token forbidden");
    refused(() -> Candidates.of(new float[] {0, Float.NaN}), "the score NaN of token 1");
  }

  private static void refused(
      org.assertj.core.api.ThrowableAssert.ThrowingCallable use, String why) {
    assertThatThrownBy(use).isInstanceOf(GenerateException.class).hasMessageContaining(why);
  }
}
