package io.trimtab.prompt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.trimtab.delta.lora.Lora;
import io.trimtab.model.LanguageModel;
import io.trimtab.model.generate.GenerateOptions;
import io.trimtab.model.generate.Generated;
import io.trimtab.model.generate.Sampling;
import io.trimtab.train.Answer;
import io.trimtab.train.AnswerScore;
import io.trimtab.train.LanguageScores;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The whole way of tiny encoder-decoders: pairs in, tuned delta out, and back from its files. */
class PairsTunerTest {
  private static final Path RECORDED =
      Path.of(System.getProperty("trimtab.fixtures", "none"), "hf");
  private static final TextTask TASK = TextTask.pairs("from", "to");

  private static LanguageModel open(String name, Path parent) throws IOException {
    Path from = RECORDED.resolve(name);
    assumeThat(from).as("the recorded " + name).isDirectory();
    Path directory = Files.createDirectories(parent.resolve(name));
    Files.copy(from.resolve("model.safetensors"), directory.resolve("model.safetensors"));
    // The tokenizer's own mark is to end texts.
    String config = Files.readString(from.resolve("config.json"));
    Files.writeString(
        directory.resolve("config.json"),
        config.replaceAll("\"eos_token_id\": \\d+", "\"eos_token_id\": 3"));
    try (InputStream words =
        Objects.requireNonNull(PairsTunerTest.class.getResourceAsStream("vocab.txt"))) {
      Files.write(directory.resolve("vocab.txt"), words.readAllBytes());
    }
    return TinyDecoder.open(directory);
  }

  private static Path pairs(Path parent) throws IOException {
    StringBuilder lines = new StringBuilder("from,to\n");
    String[] films = {"film", "movie", "play"};
    String[] good = {"great", "fine", "lovely"};
    String[] bad = {"awful", "terrible", "dull"};
    for (String film : films) {
      for (int i = 0; i < good.length; i++) {
        lines.append("the %s was %s,good %s%n".formatted(film, good[i], film));
        lines.append("the %s was %s,bad %s%n".formatted(film, bad[i], film));
      }
    }
    return Files.writeString(parent.resolve("pairs.csv"), lines.toString());
  }

  @ParameterizedTest
  @ValueSource(strings = {"t5", "bart"})
  void learnsPairs(String name, @TempDir Path directory) throws IOException {
    Path data = pairs(directory);
    try (LanguageModel model = open(name, directory)) {
      TextTuner tuner =
          Tuner.of(model, TASK)
              .delta(Lora.rank(8).alpha(16).on("all-linear"))
              .epochs(40)
              .batch(6)
              .rate(1e-2)
              .train(data)
              .test(data);
      try (TunedText tuned = tuner.answers(6).run()) {
        LanguageScores scores = tuned.test().orElseThrow();
        // Scores of T5 are normed and scaled down, so that a random one's cannot become large.
        assertThat(scores.tuned().loss()).isLessThan(0.85 * scores.untuned().loss());
        assertThat(scores.tuned().accuracy()).isGreaterThan(scores.untuned().accuracy() + 0.3);
        AnswerScore before = Objects.requireNonNull(scores.untunedAnswers());
        AnswerScore after = Objects.requireNonNull(scores.tunedAnswers());
        assertThat(after.answers()).hasSize(6);
        assertThat(after.overlap()).isGreaterThan(before.overlap() + 0.3);
        assertThat(after.answers().getFirst().expected()).isEqualTo("good film");
        assertThat(after.answers().getFirst().prompt()).isEqualTo("the film was great");
        // What it answers is what it writes.
        for (Answer answer : after.answers()) {
          Generated written =
              tuned
                  .generator()
                  .generate(
                      List.of(answer.prompt()),
                      GenerateOptions.DEFAULT.withSampling(Sampling.GREEDY).withMaxTokens(32))
                  .getFirst();
          assertThat(written.text()).isEqualTo(answer.said());
        }
        Path saved = directory.resolve("saved");
        tuned.save(saved);
        try (TunedText loaded = TunedText.load(saved, model)) {
          assertThat(loaded.score(TextData.read(data, TASK)).loss())
              .isCloseTo(scores.tuned().loss(), within(1e-9));
          assertThat(loaded.answers(TextData.read(data, TASK), 6)).isEqualTo(after);
        }
      }
    }
  }
}
