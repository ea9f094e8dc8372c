package io.trimtab.model.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Batch;
import io.trimtab.model.Model;
import io.trimtab.model.Pass;
import io.trimtab.model.Patches;
import io.trimtab.tensor.Gradients;
import io.trimtab.tensor.Neural;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** What tiny random encoder-decoders write of what they read. */
class EncoderDecoderTextsTest {
  private static final GenerateOptions GREEDY =
      GenerateOptions.DEFAULT.withSampling(Sampling.GREEDY);

  private static List<List<Integer>> tokens(List<Sequence> made) {
    return made.stream().map(Sequence::tokens).toList();
  }

  /**
   * What was recorded behind the token that decoders start from. Where the configuration forces the
   * last token of a text that is cut off, that one says nothing.
   */
  private static List<Integer> written(List<Integer> whole, Model model) {
    int forced = model.config().has("forced_eos_token_id") ? 1 : 0;
    assertThat(whole.getFirst()).isEqualTo(model.decoderStart());
    return whole.subList(1, whole.size() - forced);
  }

  @TestFactory
  Stream<DynamicTest> greedyAndBeamsAreThoseOfTransformers() throws IOException {
    return Recorded.eachEncoderDecoder(
        (model, io) -> {
          List<int[]> sources = Recorded.sources(io);
          List<List<Integer>> expected =
              io.integerLists("greedy").stream().map(whole -> written(whole, model)).toList();
          int steps = expected.getFirst().size();
          GenerateOptions options = GREEDY.withTokens(steps, steps);
          TokenGenerator generator = TokenGenerator.of(model);
          List<Sequence> made = generator.generate(sources, options);
          assertThat(tokens(made)).isEqualTo(expected);
          assertThat(made).extracting(Sequence::end).containsOnly(End.LENGTH);
          for (int row = 0; row < sources.size(); row++) {
            List<Sequence> alone = generator.generate(List.of(sources.get(row)), options);
            assertThat(tokens(alone)).containsExactly(expected.get(row));
          }

          List<Integer> beam = written(io.integers("beam3"), model);
          int more = beam.size();
          List<Sequence> found =
              BeamSearch.of(model)
                  .search(sources.getFirst(), new BeamOptions(3, 1, more, more, Optional.empty()));
          assertThat(found).hasSize(3);
          assertThat(found.getFirst().tokens()).isEqualTo(beam);
        });
  }

  @TestFactory
  Stream<DynamicTest> aSampleIsTheSameWhateverIsMadeBesideIt() throws IOException {
    return Recorded.eachEncoderDecoder(
        (model, io) -> {
          List<int[]> sources = Recorded.sources(io);
          TokenGenerator generator = TokenGenerator.of(model);
          // Texts that end at different steps, so that rows are dropped on the way.
          Set<Integer> ends = Set.copyOf(IntStream.range(0, 12).boxed().toList());
          GenerateOptions options =
              GenerateOptions.DEFAULT
                  .withMaxTokens(10)
                  .withEndTokens(ends)
                  .withSampling(Sampling.PLAIN.withTemperature(1.5).withTopK(40).withTopP(0.95))
                  .withSeed(11)
                  .withSamples(5);
          List<List<Integer>> together = tokens(generator.generate(sources, options));
          assertThat(together).hasSize(15);
          assertThat(Set.copyOf(together)).hasSizeGreaterThan(7);
          assertThat(together.stream().map(List::size).distinct().count()).isGreaterThan(2);
          for (int batch : new int[] {1, 2, 7}) {
            assertThat(tokens(generator.generate(sources, options.withBatch(batch))))
                .as("batches of " + batch)
                .isEqualTo(together);
          }
          List<List<Integer>> other = tokens(generator.generate(sources.reversed(), options));
          assertThat(other.subList(0, 5)).isEqualTo(together.subList(10, 15));
          assertThat(tokens(generator.generate(sources, options.withSeed(12))))
              .isNotEqualTo(together);
        });
  }

  /** What the encoder read is no part of the text that repetition is looked for in. */
  @TestFactory
  Stream<DynamicTest> repetitionIsThatOfTheTextAlone() throws IOException {
    return Recorded.eachEncoderDecoder(
        (model, io) -> {
          // The token that ends texts may be the one that decoders start from, which counts.
          GenerateOptions one = GREEDY.withTokens(1, 1);
          int[] source = Recorded.sources(io).getFirst();
          int best = first(model, source, one);
          for (int tries = 0; tries < 50 && !contains(source, best); tries++) {
            source = IntStream.concat(IntStream.of(source), IntStream.of(best)).toArray();
            best = first(model, source, one);
          }
          assertThat(source).contains(best);
          Sampling penalty = Sampling.GREEDY.withPenalties(1e6, 0, 0);
          assertThat(first(model, source, one.withSampling(penalty))).isEqualTo(best);
        });
  }

  private static boolean contains(int[] tokens, int token) {
    return IntStream.of(tokens).anyMatch(each -> each == token);
  }

  private static int first(Model model, int[] source, GenerateOptions options) {
    return TokenGenerator.of(model).generate(List.of(source), options).getFirst().tokens().get(0);
  }

  @TestFactory
  Stream<DynamicTest> scoresAreThoseOfWhatWasWritten() throws IOException {
    return Recorded.eachEncoderDecoder(
        (model, io) -> {
          List<int[]> sources = Recorded.sources(io);
          GenerateOptions options =
              GenerateOptions.DEFAULT.withMaxTokens(5).withEndTokens(Set.of()).withSamples(3);
          List<Sequence> made = TokenGenerator.of(model).generate(sources, options);
          List<Scorer.Pair> pairs = new ArrayList<>();
          for (Sequence each : made) {
            pairs.add(new Scorer.Pair(sources.get(each.prompt()), Recorded.ints(each.tokens())));
          }
          pairs.add(new Scorer.Pair(sources.getFirst(), new int[] {5}));
          pairs.add(new Scorer.Pair(new int[] {3, 4}, new int[] {5, 6, 7}));
          Scorer scorer = Scorer.of(model);
          List<Scorer.Score> scores = scorer.score(pairs);
          for (int i = 0; i < made.size(); i++) {
            assertThat(scores.get(i).logProbability())
                .isCloseTo(made.get(i).logProbability(), within(1e-4));
          }
          for (int i = 0; i < pairs.size(); i++) {
            Scorer.Score alone = scorer.score(List.of(pairs.get(i))).getFirst();
            assertThat(alone.logProbability())
                .isCloseTo(scores.get(i).logProbability(), within(1e-4))
                .isCloseTo(plainly(model, pairs.get(i)), within(1e-4));
          }
        });
  }

  /** The scores of the whole target by the model itself. */
  private static double plainly(Model model, Scorer.Pair pair) {
    int[] target = pair.continuation();
    int[] given = new int[target.length];
    given[0] = model.decoderStart();
    System.arraycopy(target, 0, given, 1, target.length - 1);
    return Gradients.none(
        () -> {
          try (Scope _ = Scope.open()) {
            Batch read = Batch.of(List.of(Batch.Row.of(pair.prompt())));
            Batch words = Batch.of(List.of(Batch.Row.of(given)));
            Pass pass =
                Pass.plain(words.layout()).reading(model.encode(read, Pass.plain(read.layout())));
            Tensor likely = Neural.logSoftmax(model.causalLogits(words, pass, null, null), -1);
            float[] all = likely.toFloats();
            int vocabulary = (int) likely.size(1);
            return IntStream.range(0, target.length)
                .mapToDouble(i -> all[i * vocabulary + target[i]])
                .sum();
          }
        });
  }

  /** What is written takes none of the positions of what was read, nor of vectors before that. */
  @TestFactory
  Stream<DynamicTest> textsEndWhereTheDecodersPositionsDo() throws IOException {
    return Recorded.eachEncoderDecoder(
        (model, io) -> {
          OptionalInt positions = Limits.positions(model, Patches.NONE);
          assertThat(positions.isPresent()).isEqualTo(hasPositions(model.config()));
          int[] source = Recorded.sources(io).getFirst();
          int most = positions.orElse(100) + 5;
          GenerateOptions options = GREEDY.withMaxTokens(most).withEndTokens(Set.of());
          Patches soft = SoftPrompt.before(model.stacks().getFirst(), model);
          for (Patches acting : List.of(Patches.NONE, soft)) {
            TokenGenerator generator = TokenGenerator.of(model).with(acting);
            Sequence made = generator.generate(List.of(source), options).getFirst();
            assertThat(made.tokens()).hasSize(positions.isPresent() ? most - 6 : most);
          }
          if (positions.isEmpty()) {
            return;
          }
          int[] whole = IntStream.generate(() -> 7).limit(positions.getAsInt()).toArray();
          TokenGenerator prompted = TokenGenerator.of(model).with(soft);
          GenerateOptions few = options.withMaxTokens(2);
          assertThat(TokenGenerator.of(model).generate(List.of(whole), few)).hasSize(1);
          assertThatThrownBy(() -> prompted.generate(List.of(whole), few))
              .isInstanceOf(GenerateException.class)
              .hasMessageContaining("positions of the encoder")
              .hasMessageContaining("beside the 3 vectors");
          Scorer.Pair longer = new Scorer.Pair(source, new int[positions.getAsInt() + 1]);
          assertThatThrownBy(() -> Scorer.of(model).score(List.of(longer)))
              .isInstanceOf(GenerateException.class)
              .hasMessageContaining("a continuation of");
        });
  }

  private static boolean hasPositions(ModelConfig config) {
    return config.has("max_position_embeddings");
  }

  @TestFactory
  Stream<DynamicTest> whatDecodersAloneDoIsRefused() throws IOException {
    return Recorded.eachEncoderDecoder(
        (model, io) -> {
          int[] ids = Recorded.sources(io).getFirst();
          Perplexity.Window window = new Perplexity.Window(4, 2);
          assertThatThrownBy(() -> Perplexity.of(model, Patches.NONE, ids, window, _ -> {}))
              .isInstanceOf(GenerateException.class)
              .hasMessageContaining("an encoder with a decoder");
        });
  }
}
