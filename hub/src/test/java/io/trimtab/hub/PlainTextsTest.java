package io.trimtab.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a user spells out ends no turn, and all else keeps its number. */
class PlainTextsTest {
  private static final EncodeOptions PLAIN =
      EncodeOptions.DEFAULT.withoutSpecialTokens().specialTokensAsText();

  /** Added tokens beyond the model's own vocabulary of five. */
  private static final String BPE =
      """
      {"added_tokens": [{"id": 5, "content": "<end>", "special": true},
                        {"id": 6, "content": "  ", "special": false}],
       "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true,
                         "use_regex": false},
       "model": {"type": "BPE",
                 "vocab": {"<": 0, "e": 1, "n": 2, "d": 3, ">": 4},
                 "merges": []}}
      """;

  private static final String UNIGRAM =
      """
      {"added_tokens": [{"id": 1, "content": "<end>", "special": true},
                        {"id": 7, "content": "nd", "special": false}],
       "model": {"type": "Unigram", "unk_id": 0,
                 "vocab": [["<unk>", 0.0], ["<end>", 0.0], ["<", -2.0], ["e", -2.0],
                           ["n", -2.0], ["d", -2.0], [">", -2.0]]}}
      """;

  @TempDir Path directory;

  private Tokenizer open(String json) throws Exception {
    Files.writeString(directory.resolve("tokenizer.json"), json.replace("\"special\"", flags()));
    return Tokenizers.open(directory);
  }

  private static String flags() {
    return "\"single_word\": false, \"lstrip\": false, \"rstrip\": false, \"normalized\": false,"
        + " \"special\"";
  }

  @Test
  void addedTokensKeepTheirNumbers() throws Exception {
    try (Tokenizer tokenizer = open(BPE)) {
      assertThat(tokenizer.encodeWithoutSpecial("e<end>  n").ids()).containsExactly(1, 5, 6, 2);
      assertThat(tokenizer.encode("e<end>  n", PLAIN).ids())
          .containsExactly(1, 0, 1, 2, 3, 4, 6, 2);
    }
  }

  @Test
  void unigramTakesThemApart() throws Exception {
    try (Tokenizer tokenizer = open(UNIGRAM)) {
      assertThat(tokenizer.encodeWithoutSpecial("e<end>nd").ids()).containsExactly(3, 1, 7);
      // The added token that is none of the special ones is still looked for.
      assertThat(tokenizer.encode("e<end>nd", PLAIN).ids()).containsExactly(3, 2, 3, 7, 6, 7);
    }
  }

  @Test
  void wordsThatAreSpecialBecomeUnknown() throws Exception {
    String json =
        """
        {"added_tokens": [{"id": 1, "content": "end", "special": true}],
         "pre_tokenizer": {"type": "Whitespace"},
         "model": {"type": "WordLevel", "unk_token": "un", "vocab": {"un": 0, "end": 1, "a": 2}}}
        """;
    try (Tokenizer tokenizer = open(json)) {
      assertThat(tokenizer.encodeWithoutSpecial("a end").ids()).containsExactly(2, 1);
      assertThat(tokenizer.encode("a end", PLAIN).ids()).containsExactly(2, 0);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"model\": {\"type\": \"BPE\"}}",
        "{\"added_tokens\": [7], \"model\": {\"vocab\": {}}}",
        "{\"added_tokens\": [{\"id\": 0, \"content\": \"a\", \"special\": true}],"
            + " \"model\": {\"vocab\": [\"a\"]}}",
        "{\"added_tokens\": []}"
      })
  void refusesWhatCannotBeUnderstood(String json) {
    assertThatThrownBy(() -> PlainTexts.json(json.getBytes(StandardCharsets.UTF_8), "t.json"))
        .isInstanceOf(HubException.Malformed.class)
        .hasMessageStartingWith("t.json: expected");
  }
}
