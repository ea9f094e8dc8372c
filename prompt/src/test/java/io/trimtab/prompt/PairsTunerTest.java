package io.trimtab.prompt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.trimtab.delta.lora.Lora;
import io.trimtab.model.LanguageModel;
import io.trimtab.train.DataException;
import io.trimtab.train.LanguageScores;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
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
    for (String file : new String[] {"config.json", "model.safetensors"}) {
      Files.copy(from.resolve(file), directory.resolve(file));
    }
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
      assertThatThrownBy(() -> tuner.answers(2).run())
          .isInstanceOf(DataException.class)
          .hasMessageContaining("leave --answers out");
      try (TunedText tuned = tuner.answers(0).run()) {
        LanguageScores scores = tuned.test().orElseThrow();
        // Scores of T5 are normed and scaled down, so that a random one's cannot become large.
        assertThat(scores.tuned().loss()).isLessThan(0.85 * scores.untuned().loss());
        assertThat(scores.tuned().accuracy()).isGreaterThan(scores.untuned().accuracy() + 0.3);
        Path saved = directory.resolve("saved");
        tuned.save(saved);
        try (TunedText loaded = TunedText.load(saved, model)) {
          assertThat(loaded.score(TextData.read(data, TASK)).loss())
              .isCloseTo(scores.tuned().loss(), within(1e-9));
          assertThatThrownBy(() -> loaded.answers(TextData.read(data, TASK), 2))
              .isInstanceOf(DataException.class)
              .hasMessageContaining("leave --answers out");
        }
      }
    }
  }
}
