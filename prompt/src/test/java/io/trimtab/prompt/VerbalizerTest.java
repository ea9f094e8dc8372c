package io.trimtab.prompt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trimtab.hub.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class VerbalizerTest {
  @TempDir Path directory = Path.of("");

  private Path file(String text) throws IOException {
    return Files.writeString(directory.resolve("words.txt"), text);
  }

  @Test
  void readsAFile() throws IOException {
    Path file =
        file("\uFEFF# labels\n\npositive: great, good\n  DESC:manner : how \r\nnegative:terrible");
    Verbalizer read = Verbalizer.of(file.toString());
    assertThat(read.words())
        .containsExactly(
            Map.entry("positive", List.of("great", "good")),
            Map.entry("DESC:manner", List.of("how")),
            Map.entry("negative", List.of("terrible")));
    assertThat(read.labels().names()).containsExactly("positive", "DESC:manner", "negative");
  }

  @Test
  void readsTheInlineForm() {
    Verbalizer read = Verbalizer.of("pos=great|good, neg = terrible");
    assertThat(read.words())
        .containsExactly(
            Map.entry("pos", List.of("great", "good")), Map.entry("neg", List.of("terrible")));
    assertThat(Verbalizer.inline(read.toString())).isEqualTo(read);
    assertThat(Verbalizer.inline("neg=terrible,pos=great|good")).isNotEqualTo(read);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "'a: x;b:'          | line 2: found no word for the label \"b\"",
        "'a: x;a: y'        | line 2: found the label \"a\" twice",
        "'a: x;b: y, x'     | line 2: found the word \"x\" for the labels \"a\" and \"b\"",
        "'a: x, x'          | line 1: found the word \"x\" twice for the label \"a\"",
        "'a: x,, y'         | line 1: found a blank word for the label \"a\"",
        "': x'              | line 1: found a blank label",
        "'a: x;just words'  | line 2: found \"just words\", expected",
        "'# nothing;'       | has no labels",
      })
  void namesWhatIsWrongInAFile(String lines, String message) throws IOException {
    Path file = file(lines.replace(';', '\n'));
    assertThatThrownBy(() -> Verbalizer.read(file))
        .isInstanceOf(PromptException.Syntax.class)
        .hasMessageContaining(message);
  }

  @Test
  void namesWhatIsWrongInline() {
    assertThatThrownBy(() -> Verbalizer.of("no/such/file"))
        .isInstanceOf(PromptException.Syntax.class)
        .hasMessageContaining("expected a file or");
    assertThatThrownBy(() -> Verbalizer.of("a=x,b"))
        .isInstanceOf(PromptException.Syntax.class)
        .hasMessageContaining("found \"b\"");
    assertThatThrownBy(() -> Verbalizer.of("a=x,b="))
        .isInstanceOf(PromptException.Syntax.class)
        .hasMessageContaining("no word for the label \"b\"");
  }

  @Test
  void findsTheTokenOfEachWord() throws IOException {
    Verbalizer words = Verbalizer.inline("pos=great|good,neg=Terrible");
    try (Tokenizer bert = Tiny.wordPiece(directory)) {
      assertThat(words.tokenIds(bert))
          .containsExactly(
              List.of(bert.tokenId("great").orElseThrow(), bert.tokenId("good").orElseThrow()),
              List.of(bert.tokenId("terrible").orElseThrow()));
    }
    try (Tokenizer roberta = Tiny.byteLevel(directory)) {
      assertThat(Verbalizer.inline("pos=great,neg=terrible").tokenIds(roberta))
          .containsExactly(
              List.of(roberta.tokenId("Ġgreat").orElseThrow()),
              List.of(roberta.tokenId("Ġterrible").orElseThrow()));
    }
  }

  @Test
  void refusesWordsThatAreNotOneToken() throws IOException {
    try (Tokenizer bert = Tiny.wordPiece(directory)) {
      assertThatThrownBy(() -> Verbalizer.inline("a=great,b=playing").tokenIds(bert))
          .isInstanceOf(PromptException.LabelWord.class)
          .hasMessageContaining("\"playing\" of \"b\" split into 2 tokens (play ##ing)");
      assertThatThrownBy(() -> Verbalizer.inline("a=great,b=漢").tokenIds(bert))
          .isInstanceOf(PromptException.LabelWord.class)
          .hasMessageContaining("\"漢\" of \"b\", which the model's vocabulary does not have");
      assertThatThrownBy(() -> Verbalizer.inline("a=great,b=Great").tokenIds(bert))
          .isInstanceOf(PromptException.LabelWord.class)
          .hasMessageContaining("\"great\" and \"Great\"");
    }
  }
}
