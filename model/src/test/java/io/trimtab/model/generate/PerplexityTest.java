package io.trimtab.model.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.trimtab.hub.Tokenizers;
import io.trimtab.model.LanguageModel;
import io.trimtab.model.Patches;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What bits are divided by. */
class PerplexityTest {
  private static final String TEXT = "grün ist die Au";
  private static final Perplexity.Window WINDOW = new Perplexity.Window(8, 4);

  /** A tokenizer of whole words; with a token that begins texts, or without one. */
  private static LanguageModel model(Path folder, boolean begin) throws IOException {
    String processor =
        """
        {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}},
         {"Sequence": {"id": "A", "type_id": 0}}], "pair": [{"Sequence": {"id": "A", "type_id": 0}},
         {"Sequence": {"id": "B", "type_id": 1}}],
         "special_tokens": {"<s>": {"id": "<s>", "ids": [0], "tokens": ["<s>"]}}}
        """;
    Files.writeString(
        folder.resolve("tokenizer.json"),
        """
        {"version": "1.0", "truncation": null, "padding": null, "normalizer": null,
         "added_tokens": [{"id": 0, "content": "<s>", "single_word": false, "lstrip": false,
           "rstrip": false, "normalized": false, "special": true}],
         "pre_tokenizer": {"type": "WhitespaceSplit"}, "decoder": null, "post_processor": %s,
         "model": {"type": "WordLevel", "unk_token": "<s>",
           "vocab": {"<s>": 0, "grün": 1, "ist": 2, "die": 3, "Au": 4}}}
        """
            .formatted(begin ? processor : "null"));
    return new LanguageModel(PlainLlama.write(folder, 5), Tokenizers.open(folder));
  }

  @Test
  void bytesAreThoseOfTheForetoldTokens(@TempDir Path with, @TempDir Path without)
      throws IOException {
    double bits = Math.log(5) / Math.log(2); // all words are alike
    int all = TEXT.getBytes(StandardCharsets.UTF_8).length;
    try (LanguageModel model = model(with, true)) {
      Perplexity found = Perplexity.of(model, Patches.NONE, TEXT, WINDOW, _ -> {});
      assertThat(found.tokens()).isEqualTo(4);
      assertThat(found.bytes()).isEqualTo(all);
      assertThat(found.bitsPerByte().orElseThrow()).isCloseTo(4 * bits / all, within(1e-6));
    }
    try (LanguageModel model = model(without, false)) {
      Perplexity found = Perplexity.of(model, Patches.NONE, TEXT, WINDOW, _ -> {});
      assertThat(found.tokens()).isEqualTo(3);
      int paid = all - "grün".getBytes(StandardCharsets.UTF_8).length;
      assertThat(found.bytes()).isEqualTo(paid);
      assertThat(found.bitsPerByte().orElseThrow()).isCloseTo(3 * bits / paid, within(1e-6));
    }
  }
}
