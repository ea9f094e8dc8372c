package io.trimtab.model.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.trimtab.model.KeyValueCache;
import io.trimtab.model.Model;
import io.trimtab.model.Patch;
import io.trimtab.model.Patches;
import io.trimtab.model.Site;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** What tiny random decoders make. */
class TokenGeneratorTest {
  private static final GenerateOptions GREEDY =
      GenerateOptions.DEFAULT.withSampling(Sampling.GREEDY);

  private static List<List<Integer>> tokens(List<Sequence> made) {
    return made.stream().map(Sequence::tokens).toList();
  }

  @TestFactory
  Stream<DynamicTest> greedyAndBeamsAreThoseOfTransformers() throws IOException {
    return Recorded.each(
        (model, io) -> {
          List<int[]> prompts = Recorded.prompts(io);
          List<List<Integer>> expected = new ArrayList<>();
          for (int row = 0; row < prompts.size(); row++) {
            List<Integer> whole = io.integerLists("greedy").get(row);
            expected.add(whole.subList(prompts.get(row).length, whole.size()));
          }
          int steps = expected.getFirst().size();
          GenerateOptions options = GREEDY.withTokens(steps, steps);
          List<Sequence> made = TokenGenerator.of(model).generate(prompts, options);
          assertThat(tokens(made)).isEqualTo(expected);
          assertThat(made).extracting(Sequence::end).containsOnly(End.LENGTH);

          List<Integer> beam = io.integers("beam3");
          int more = beam.size() - prompts.getFirst().length;
          List<Sequence> found =
              BeamSearch.of(model)
                  .search(prompts.getFirst(), new BeamOptions(3, 1, more, more, Optional.empty()));
          assertThat(found).hasSize(3);
          assertThat(found.getFirst().tokens())
              .isEqualTo(beam.subList(prompts.getFirst().length, beam.size()));
          assertThat(found)
              .extracting(Sequence::logProbability)
              .isSortedAccordingTo((a, b) -> Double.compare(b, a));
        });
  }

  @TestFactory
  Stream<DynamicTest> aSampleIsTheSameWhateverIsMadeBesideIt() throws IOException {
    return Recorded.each(
        (model, io) -> {
          List<int[]> prompts = Recorded.prompts(io);
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
          List<List<Integer>> together = tokens(generator.generate(prompts, options));
          assertThat(together).hasSize(15);
          // Several may end at once, which is the same text.
          assertThat(Set.copyOf(together)).hasSizeGreaterThan(7);
          for (int batch : new int[] {1, 2, 7}) {
            assertThat(tokens(generator.generate(prompts, options.withBatch(batch))))
                .as("batches of " + batch)
                .isEqualTo(together);
          }
          List<int[]> reversed = prompts.reversed();
          List<List<Integer>> other = tokens(generator.generate(reversed, options));
          assertThat(other.subList(0, 5)).isEqualTo(together.subList(10, 15));
          assertThat(tokens(generator.generate(prompts, options.withSamples(2))).subList(0, 2))
              .isEqualTo(together.subList(0, 2));
          assertThat(tokens(generator.generate(prompts, options.withSeed(12))))
              .isNotEqualTo(together);
        });
  }

  @TestFactory
  Stream<DynamicTest> textsEndAsTold() throws IOException {
    return Recorded.each(
        (model, io) -> {
          List<int[]> prompt = List.of(Recorded.prompts(io).getFirst());
          TokenGenerator generator = TokenGenerator.of(model);
          GenerateOptions options = GREEDY.withMaxTokens(6).withEndTokens(Set.of());
          List<Integer> free = generator.generate(prompt, options).getFirst().tokens();
          assertThat(free).hasSize(6);
          int third = free.get(2);
          int at = free.indexOf(third);
          Sequence ended =
              generator.generate(prompt, options.withEndTokens(Set.of(third, 9999))).getFirst();
          assertThat(ended.tokens()).isEqualTo(free.subList(0, at));
          assertThat(ended.end()).isEqualTo(End.TOKEN);
          assertThat(ended.logProbabilities()).hasSize(at + 1);
          Sequence later =
              generator
                  .generate(prompt, options.withEndTokens(Set.of(third)).withTokens(6, 6))
                  .getFirst();
          assertThat(later.tokens()).hasSize(6).doesNotContain(third);
          Sequence watched =
              generator
                  .generate(prompt, options, (_, _, token) -> token != free.getFirst())
                  .getFirst();
          assertThat(watched.tokens()).containsExactly(free.getFirst());
          assertThat(watched.end()).isEqualTo(End.STOP);
          assertThatThrownBy(() -> generator.generate(List.of(new int[0]), options))
              .isInstanceOf(GenerateException.class)
              .hasMessageContaining("a prompt of no tokens");
          assertThatThrownBy(() -> generator.generate(prompt, options.withStop("x")))
              .hasMessageContaining("use Generator");
        });
  }

  @TestFactory
  Stream<DynamicTest> oneSampleGoesOnInTheCacheOfItsPrompt() throws IOException {
    return Recorded.each(
        (model, io) -> {
          Set<KeyValueCache> seen = Collections.newSetFromMap(new IdentityHashMap<>());
          Patch.Output watch =
              (_, output, pass) -> {
                seen.add(pass.cache().orElseThrow());
                return output;
              };
          Site<?> site = Site.output(model.blocks().getFirst().path());
          TokenGenerator generator = TokenGenerator.of(model).with(Patches.of(Map.of(site, watch)));
          GenerateOptions options = GREEDY.withTokens(3, 3);
          generator.generate(Recorded.prompts(io), options);
          assertThat(seen).hasSize(1);
        });
  }

  @TestFactory
  Stream<DynamicTest> scoresAreThoseOfWhatWasMade() throws IOException {
    return Recorded.each(
        (model, io) -> {
          List<int[]> prompts = Recorded.prompts(io);
          GenerateOptions options =
              GenerateOptions.DEFAULT.withMaxTokens(5).withEndTokens(Set.of()).withSamples(3);
          List<Sequence> made = TokenGenerator.of(model).generate(prompts, options);
          List<Scorer.Pair> pairs = new ArrayList<>();
          for (Sequence each : made) {
            pairs.add(new Scorer.Pair(prompts.get(each.prompt()), Recorded.ints(each.tokens())));
          }
          // Of another length, so that continuations of a prompt differ in it; and one alone.
          pairs.add(new Scorer.Pair(prompts.getFirst(), new int[] {5}));
          pairs.add(new Scorer.Pair(new int[] {3, 4}, new int[] {5, 6, 7}));
          Scorer scorer = Scorer.of(model);
          List<Scorer.Score> scores = scorer.score(pairs);
          for (int i = 0; i < made.size(); i++) {
            assertThat(scores.get(i).logProbability())
                .isCloseTo(made.get(i).logProbability(), within(1e-4));
          }
          for (int i = 0; i < pairs.size(); i++) {
            // Alone, a pair goes through the model without a cache.
            Scorer.Score alone = scorer.score(List.of(pairs.get(i))).getFirst();
            assertThat(alone.logProbability())
                .isCloseTo(scores.get(i).logProbability(), within(1e-4));
            assertThat(alone.logProbabilities()).hasSize(pairs.get(i).continuation().length);
          }
          Sequence best =
              TokenGenerator.of(model)
                  .generate(prompts, GREEDY.withMaxTokens(4).withEndTokens(Set.of()))
                  .getFirst();
          assertThat(
                  scorer
                      .score(
                          List.of(
                              new Scorer.Pair(prompts.getFirst(), Recorded.ints(best.tokens()))))
                      .getFirst()
                      .greedy())
              .isTrue();
          int[] text = Recorded.ints(io.integerLists("greedy").getFirst());
          double whole =
              scorer
                  .score(
                      List.of(
                          new Scorer.Pair(
                              new int[] {text[0]}, Arrays.copyOfRange(text, 1, text.length))))
                  .getFirst()
                  .logProbability();
          Perplexity wide = perplexity(model, text, 30, 10);
          assertThat(wide.logProbability()).isCloseTo(whole, within(1e-4));
          assertThat(wide.value()).isCloseTo(Math.exp(-whole / (text.length - 1)), within(1e-2));
          // A window of 6 that moves by 2: tokens 1–5, then two at a time from four before them.
          double slid = 0;
          for (int[] window : new int[][] {{0, 1, 6}, {2, 6, 8}, {4, 8, 10}, {6, 10, 11}}) {
            slid +=
                scorer
                    .score(
                        List.of(
                            new Scorer.Pair(
                                Arrays.copyOfRange(text, window[0], window[1]),
                                Arrays.copyOfRange(text, window[1], window[2]))))
                    .getFirst()
                    .logProbability();
          }
          assertThat(perplexity(model, Arrays.copyOf(text, 11), 6, 2).logProbability())
              .isCloseTo(slid, within(1e-4));
        });
  }

  private static Perplexity perplexity(Model model, int[] text, int size, int stride) {
    return Perplexity.of(model, Patches.NONE, text, new Perplexity.Window(size, stride), _ -> {});
  }
}
