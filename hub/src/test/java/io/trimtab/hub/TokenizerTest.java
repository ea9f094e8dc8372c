package io.trimtab.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trimtab.hub.EncodeOptions.TruncationSide;
import io.trimtab.hub.EncodeOptions.TruncationStrategy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A WordPiece tokenizer with a vocabulary of its own. */
class TokenizerTest {
  private static final List<String> VOCABULARY =
      List.of(
          "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "trim", "##tab", "##s", "turns", "the",
          "ship", "!", "cafe", "naive", "x");

  @TempDir Path temp;

  private Tokenizer open(List<String> vocabulary, String config) {
    try {
      Files.writeString(temp.resolve("vocab.txt"), String.join("\n", vocabulary) + "\n");
      if (!config.isEmpty()) {
        Files.writeString(temp.resolve("tokenizer_config.json"), config);
      }
      return Tokenizers.open(temp);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private Tokenizer open() {
    return open(VOCABULARY, "");
  }

  @Test
  void encodesWithAndWithoutFrame() {
    try (Tokenizer tokenizer = open()) {
      Encoding encoding = tokenizer.encode("Trimtabs turn the ship!");
      assertThat(encoding.tokens())
          .containsExactly("[CLS]", "trim", "##tab", "##s", "[UNK]", "the", "ship", "!", "[SEP]");
      assertThat(encoding.ids()).containsExactly(2, 6, 7, 8, 1, 10, 11, 12, 3);
      assertThat(encoding.typeIds()).containsOnly(0);
      assertThat(encoding.isSpecial(0)).isTrue();
      assertThat(encoding.sequence(0)).isEqualTo(-1);
      assertThat(encoding.sequence(1)).isZero();
      assertThat(tokenizer.encodeWithoutSpecial("the ship").ids()).containsExactly(10, 11);
      assertThat(tokenizer.encode("").ids()).containsExactly(2, 3);
      assertThat(tokenizer.encodeWithoutSpecial("").length()).isZero();
    }
  }

  @Test
  void encodesPairs() {
    try (Tokenizer tokenizer = open()) {
      Encoding pair = tokenizer.encode("the ship", "a trim");
      assertThat(pair.ids()).containsExactly(2, 10, 11, 3, 5, 6, 3);
      assertThat(pair.typeIds()).containsExactly(0, 0, 0, 0, 1, 1, 1);
      assertThat(pair.specialTokensMask())
          .containsExactly(true, false, false, true, false, false, true);
      assertThat(pair.sequence(4)).isEqualTo(1);
      assertThat(pair.start(5)).isEqualTo(2);
      assertThat(pair.tokenAt(1, 3)).isEqualTo(5);
      assertThat(pair.tokenAt(0, 3)).isEqualTo(-1);
      assertThat(pair).isEqualTo(tokenizer.encode("the ship", "a trim"));
    }
  }

  @Test
  void offsetsAreIndicesOfTheJavaString() {
    try (Tokenizer tokenizer = open()) {
      String text = "x \uD83D\uDE00 cafe\u0301 \uD83D\uDC68\u200D\uD83D\uDC69 nai\u0308ve [MASK] x";
      Encoding encoding = tokenizer.encode(text);
      List<String> pieces =
          Stream.iterate(0, i -> i < encoding.length(), i -> i + 1)
              .filter(i -> !encoding.isSpecial(i))
              .map(i -> text.substring(encoding.start(i), encoding.end(i)))
              .toList();
      assertThat(encoding.tokens())
          .containsExactly("[CLS]", "x", "[UNK]", "cafe", "[UNK]", "naive", "[MASK]", "x", "[SEP]");
      assertThat(pieces.get(0)).isEqualTo("x");
      assertThat(pieces.get(1)).isEqualTo("\uD83D\uDE00");
      assertThat(pieces.get(2)).startsWith("cafe");
      assertThat(pieces.get(3)).startsWith("\uD83D\uDC68").endsWith("\uD83D\uDC69");
      assertThat(pieces.get(4)).startsWith("nai").endsWith("ve");
      assertThat(pieces.get(5)).isEqualTo("[MASK]");
      assertThat(encoding.start(7)).isEqualTo(text.length() - 1);
      // In a pair each text has its own indices.
      Encoding pair = tokenizer.encode("\uD83D\uDE00 x", "\uD83D\uDE00\uD83D\uDE00 ship");
      assertThat(pair.start(2)).isEqualTo(3);
      assertThat(pair.start(5)).isEqualTo(5);
      assertThat(pair.end(5)).isEqualTo(9);
    }
  }

  @Test
  void halvesOfSurrogatePairsDoNotShiftTheRest() {
    try (Tokenizer tokenizer = open()) {
      Encoding encoding = tokenizer.encodeWithoutSpecial("\uD83D ship \uDE00 x\0x");
      int ship = encoding.tokens().indexOf("ship");
      assertThat(encoding.start(ship)).isEqualTo(2);
      assertThat(encoding.end(ship)).isEqualTo(6);
    }
  }

  @Test
  void aSpecialTokenSpelledInTheTextBelongsToTheText() {
    try (Tokenizer tokenizer = open()) {
      Encoding encoding = tokenizer.encode("the [MASK] turns");
      int mask = encoding.tokens().indexOf("[MASK]");
      assertThat(encoding.id(mask)).isEqualTo(tokenizer.specialId(SpecialToken.MASK));
      assertThat(encoding.isSpecial(mask)).isFalse();
      assertThat(encoding.start(mask)).isEqualTo(4);
      assertThat(encoding.end(mask)).isEqualTo(10);
    }
  }

  @Test
  void truncatesAtEitherSide() {
    try (Tokenizer tokenizer = open()) {
      EncodeOptions five = EncodeOptions.DEFAULT.maxLength(5);
      assertThat(tokenizer.encode("a trim turns the ship", five).tokens())
          .containsExactly("[CLS]", "a", "trim", "turns", "[SEP]");
      Encoding left = tokenizer.encode("a trim turns the ship", five.truncate(TruncationSide.LEFT));
      assertThat(left.tokens()).containsExactly("[CLS]", "turns", "the", "ship", "[SEP]");
      assertThat(left.start(1)).isEqualTo(7);
      assertThat(tokenizer.encode("a trim", five.withoutSpecialTokens()).length()).isEqualTo(2);
      assertThat(tokenizer.encode("a a a a a a", five.withoutSpecialTokens()).length())
          .isEqualTo(5);
      assertThatThrownBy(() -> tokenizer.encode("a a", EncodeOptions.DEFAULT.maxLength(1)))
          .isInstanceOf(HubException.class)
          .hasMessageContaining("2 added");
    }
  }

  @Test
  void truncatesPairsAsAsked() {
    try (Tokenizer tokenizer = open()) {
      EncodeOptions eight = EncodeOptions.DEFAULT.maxLength(8);
      // Lengths 6 and 1: only the longer one loses.
      assertThat(tokenizer.encode("a a a a a a", "x", eight).tokens())
          .containsExactly("[CLS]", "a", "a", "a", "a", "[SEP]", "x", "[SEP]");
      // 6 and 4 into 5: both lose, the longer one keeps one more.
      assertThat(tokenizer.encode("a a a a a a", "x x x x", eight).tokens())
          .containsExactly("[CLS]", "a", "a", "a", "[SEP]", "x", "x", "[SEP]");
      assertThat(tokenizer.encode("a a a a", "x x x x x x", eight).tokens())
          .containsExactly("[CLS]", "a", "a", "[SEP]", "x", "x", "x", "[SEP]");
      EncodeOptions first = eight.truncate(TruncationStrategy.ONLY_FIRST);
      assertThat(tokenizer.encode("a a a a", "x x x x", first).tokens())
          .containsExactly("[CLS]", "a", "[SEP]", "x", "x", "x", "x", "[SEP]");
      EncodeOptions second = eight.truncate(TruncationStrategy.ONLY_SECOND);
      assertThat(tokenizer.encode("a a a a", "x x x x", second).tokens())
          .containsExactly("[CLS]", "a", "a", "a", "a", "[SEP]", "x", "[SEP]");
      assertThatThrownBy(() -> tokenizer.encode("a", "x x x x x x x x", first))
          .hasMessageContaining("ONLY_FIRST");
    }
  }

  @Test
  void knowsItsVocabulary() {
    try (Tokenizer tokenizer = open()) {
      assertThat(tokenizer.tokenId("##tab")).hasValue(7);
      assertThat(tokenizer.tokenId("rudder")).isEmpty();
      assertThat(tokenizer.token(7)).isEqualTo("##tab");
      assertThat(tokenizer.vocabularySize()).isEqualTo(VOCABULARY.size());
      assertThat(tokenizer.decode(new int[] {2, 6, 7, 8, 9, 12, 3})).isEqualTo("trimtabs turns!");
      assertThat(tokenizer.decode(new int[] {2, 6}, false)).isEqualTo("[CLS] trim");
      assertThat(tokenizer.specialId(SpecialToken.PAD)).isZero();
      assertThat(tokenizer.special(SpecialToken.UNK)).contains("[UNK]");
      for (int id : new int[] {-1, 16}) {
        assertThatThrownBy(() -> tokenizer.token(id))
            .isInstanceOf(HubException.NotFound.class)
            .hasMessageContaining("0 to 15");
        assertThatThrownBy(() -> tokenizer.decode(new int[] {id}))
            .isInstanceOf(HubException.NotFound.class);
      }
      assertThatThrownBy(() -> tokenizer.specialId(SpecialToken.BOS))
          .isInstanceOf(HubException.NotFound.class)
          .hasMessageContaining("bos_token");
    }
  }

  @Test
  void theConfigurationNamesSpecialTokensAndCase() {
    String config =
        "{\"do_lower_case\": false, \"mask_token\": {\"content\": \"x\"}, \"pad_token\": null}";
    try (Tokenizer tokenizer = open(VOCABULARY, config)) {
      assertThat(tokenizer.encodeWithoutSpecial("The the").ids()).containsExactly(1, 10);
      assertThat(tokenizer.specialId(SpecialToken.MASK)).isEqualTo(15);
      assertThat(tokenizer.specialId(SpecialToken.PAD)).isZero();
    }
  }

  @Test
  void ignoresPaddingAndTruncationBakedIntoTheFile() throws IOException {
    try (Tokenizer tokenizer = open()) {
      assertThat(tokenizer.encode("a").length()).isEqualTo(3);
    }
    String json = TokenizerJson.wordPiece(temp.resolve("vocab.txt"), java.util.Map.of());
    json =
        json.replace(
                "\"truncation\": null",
                "\"truncation\": {\"max_length\": 4, \"strategy\": \"LongestFirst\", \"stride\": 0,"
                    + " \"direction\": \"Right\"}")
            .replace(
                "\"padding\": null",
                "\"padding\": {\"strategy\": {\"Fixed\": 6}, \"direction\": \"Right\","
                    + " \"pad_to_multiple_of\": null, \"pad_id\": 0, \"pad_type_id\": 0,"
                    + " \"pad_token\": \"[PAD]\"}");
    Files.writeString(temp.resolve("tokenizer.json"), json);
    try (Tokenizer tokenizer = Tokenizers.open(temp)) {
      assertThat(tokenizer.encode("a").length()).isEqualTo(3);
      assertThat(tokenizer.encode("a ".repeat(50)).length()).isEqualTo(52);
      assertThat(tokenizer.encodeAll(List.of("a", "a a"), EncodeOptions.DEFAULT))
          .extracting(Encoding::length)
          .containsExactly(3, 4);
    }
  }

  @Test
  void manyTextsAtOnceAreTheSameAsOneByOne() {
    try (Tokenizer tokenizer = open()) {
      List<String> texts =
          Stream.iterate(0, i -> i < 1100, i -> i + 1)
              .map(i -> "\uD83D\uDE00 the ship ".repeat(i % 7) + "x")
              .toList();
      EncodeOptions options = EncodeOptions.DEFAULT.maxLength(9);
      assertThat(tokenizer.encodeAll(texts, options))
          .isEqualTo(texts.stream().map(text -> tokenizer.encode(text, options)).toList());
    }
  }

  @Test
  void threadsMayShareAndCloseIt() throws Exception {
    Tokenizer tokenizer = open();
    try (var pool = Executors.newFixedThreadPool(3)) {
      Callable<Boolean> task =
          () -> {
            for (int i = 0; i < 500; i++) {
              try {
                assertThat(tokenizer.encode("the ship").ids()).containsExactly(2, 10, 11, 3);
              } catch (IllegalStateException closed) {
                return true;
              }
            }
            return false;
          };
      var running = List.of(pool.submit(task), pool.submit(task));
      Thread.sleep(5);
      tokenizer.close();
      for (var one : running) {
        one.get();
      }
    }
    tokenizer.close();
    assertThatThrownBy(() -> tokenizer.encode("x"))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("closed");
  }

  @Test
  void byteLevelBpeFromItsTwoFiles() throws IOException {
    Files.writeString(
        temp.resolve("vocab.json"),
        "{\"<s>\": 0, \"<pad>\": 1, \"</s>\": 2, \"<unk>\": 3, \"a\": 4, \"b\": 5, \"\u0120\": 6,"
            + " \"ab\": 7, \"\u0120ab\": 8, \"<mask>\": 9}");
    Files.writeString(temp.resolve("merges.txt"), "#version: 0.2\na b\n\u0120 ab\n");
    try (Tokenizer tokenizer = Tokenizers.open(temp)) {
      Encoding encoding = tokenizer.encode("ab ab <mask>b");
      assertThat(encoding.ids()).containsExactly(0, 7, 8, 9, 5, 2);
      assertThat(tokenizer.encode("ab", "b").ids()).containsExactly(0, 7, 2, 2, 5, 2);
      assertThat(tokenizer.specialId(SpecialToken.MASK)).isEqualTo(9);
      assertThat(tokenizer.specialId(SpecialToken.CLS)).isZero();
      assertThat(tokenizer.special(SpecialToken.EOS)).contains("</s>");
      assertThat(tokenizer.decode(new int[] {0, 7, 8})).isEqualTo("ab ab");
    }
  }

  @Test
  void brokenFilesAreTypedErrors() throws IOException {
    assertThatThrownBy(() -> Tokenizers.open(temp))
        .isInstanceOf(HubException.NotFound.class)
        .hasMessageContaining("vocab.txt");
    assertThatThrownBy(() -> open(List.of("a", "b"), ""))
        .isInstanceOf(HubException.Malformed.class)
        .hasMessageContaining("[CLS]");
    Files.writeString(temp.resolve("tokenizer.json"), "{\"model\": 1}");
    assertThatThrownBy(() -> Tokenizers.open(temp)).isInstanceOf(HubException.Malformed.class);
  }
}
