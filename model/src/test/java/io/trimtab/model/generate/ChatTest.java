package io.trimtab.model.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trimtab.hub.ChatHistory;
import io.trimtab.hub.ChatTemplate;
import io.trimtab.hub.Tokenizer;
import io.trimtab.hub.Tokenizers;
import io.trimtab.model.LanguageModel;
import io.trimtab.model.Model;
import io.trimtab.model.Patches;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Whatever was said before, an answer is that to the whole prompt. */
class ChatTest {
  /** Each token is a word of its own, w0 to w95. */
  private static final int WORDS = 96;

  private static final GenerateOptions OPTIONS =
      GenerateOptions.DEFAULT
          .withSampling(Sampling.GREEDY)
          .withMaxTokens(4)
          .withEndTokens(Set.of());

  private static final ChatTemplate PLAIN =
      template(
          "{% for m in messages %}{{ 'w3' if m.role == 'assistant' else 'w1' }} {{ m.content }} w2"
              + " {% endfor %}w3");

  /** Leaves out what was answered earlier, as templates do with thoughts. */
  private static final ChatTemplate FORGETFUL =
      template(
          "{% for m in messages %}{% if m.role == 'user' %}w1 {{ m.content }} w2 {% endif %}"
              + "{% endfor %}w3");

  @TempDir private static Path folder;

  private static ChatTemplate template(String source) {
    return ChatTemplate.of(source, Map.of());
  }

  private static Tokenizer words() {
    String vocabulary =
        IntStream.range(0, WORDS)
            .mapToObj(i -> "\"w" + i + "\": " + i)
            .collect(Collectors.joining(", "));
    String json =
        """
        {"version": "1.0", "truncation": null, "padding": null, "normalizer": null,
         "added_tokens": [], "pre_tokenizer": {"type": "WhitespaceSplit"}, "decoder": null,
         "post_processor": null,
         "model": {"type": "WordLevel", "unk_token": "w0", "vocab": {%s}}}
        """
            .formatted(vocabulary);
    try {
      Files.writeString(folder.resolve("tokenizer.json"), json);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
    return Tokenizers.open(folder);
  }

  /** The answer without anything known before. */
  private static List<Integer> anew(
      LanguageModel model, ChatTemplate template, Patches acting, ChatHistory asked) {
    int[] ids = model.tokenizer().encodeWithoutSpecial(template.render(asked.input())).ids();
    return TokenGenerator.of(model.model())
        .with(acting)
        .generate(List.of(ids), OPTIONS)
        .getFirst()
        .tokens();
  }

  private static void each(Model model, ChatTemplate template, Patches acting) {
    try (Tokenizer tokenizer = words()) {
      LanguageModel named = new LanguageModel(model, tokenizer);
      try (Chat chat = Chat.of(named, template, acting)) {
        ChatHistory soFar = ChatHistory.EMPTY.withSystem("w9 w8");
        List<Integer> reused = new ArrayList<>();
        for (String said : List.of("w11 w12", "w13", "w14 w15 w16")) {
          ChatHistory asked = soFar.with(ChatHistory.USER, said);
          Chat.Reply reply = chat.reply(asked, OPTIONS, _ -> true);
          assertThat(reply.sequence().tokens())
              .as(said)
              .isEqualTo(anew(named, template, acting, asked));
          assertThat(reply.conversation().withoutLastAnswer()).isEqualTo(asked);
          reused.add(reply.reusedTokens());
          soFar = reply.conversation();
        }
        if (template == PLAIN) {
          // All but the last token of each answer has gone through the model.
          assertThat(reused).containsExactly(0, 9 + 3, 9 + 4 + 5 + 3);
        }
        assertThat(chat.keptBytes()).isPositive();
        // Another answer to another question in the place of the last one.
        ChatHistory other = soFar.withoutLastTurn().with(ChatHistory.USER, "w14 w20");
        assertThat(chat.reply(other, OPTIONS, _ -> true).sequence().tokens())
            .isEqualTo(anew(named, template, acting, other));
        // The same question again.
        assertThat(chat.reply(other, OPTIONS, _ -> true).sequence().tokens())
            .isEqualTo(anew(named, template, acting, other));
      }
    }
  }

  @TestFactory
  Stream<DynamicTest> answersAreThoseToTheWholePrompt() throws IOException {
    return Recorded.each((model, _) -> each(model, PLAIN, Patches.NONE));
  }

  @TestFactory
  Stream<DynamicTest> aTemplateMayChangeWhatWasSaid() throws IOException {
    return Recorded.each((model, _) -> each(model, FORGETFUL, Patches.NONE));
  }

  @TestFactory
  Stream<DynamicTest> aSoftPromptStaysWhereItIs() throws IOException {
    return Recorded.each(
        (model, _) -> {
          Patches soft = SoftPrompt.on(model);
          each(model, PLAIN, soft);
          each(model, FORGETFUL, soft);
        });
  }

  @TestFactory
  Stream<DynamicTest> afterWhatWentWrongItGoesOn() throws IOException {
    return Recorded.each(
        (model, _) -> {
          try (Tokenizer tokenizer = words();
              Chat chat = Chat.of(new LanguageModel(model, tokenizer), PLAIN)) {
            LanguageModel named = new LanguageModel(model, tokenizer);
            ChatHistory asked = ChatHistory.EMPTY.with(ChatHistory.USER, "w11");
            StringBuilder heard = new StringBuilder();
            Chat.Reply cut = chat.reply(asked, OPTIONS, piece -> heard.append(piece).isEmpty());
            assertThat(cut.sequence().end()).isEqualTo(End.STOP);
            assertThat(cut.sequence().tokens()).hasSize(1);
            assertThat(cut.text()).isEqualTo(heard.toString());
            assertThatThrownBy(
                    () ->
                        chat.reply(
                            asked,
                            OPTIONS,
                            _ -> {
                              throw new IllegalStateException("hung up");
                            }))
                .hasMessage("hung up");
            ChatHistory endless = asked.with(ChatHistory.USER, "w5 ".repeat(200));
            assertThatThrownBy(() -> chat.reply(endless, OPTIONS, _ -> true))
                .isInstanceOf(GenerateException.class)
                .hasMessageContaining("positions");
            assertThatThrownBy(
                    () ->
                        chat.reply(
                            asked, OPTIONS.withSampling(Sampling.PLAIN).withSamples(2), _ -> true))
                .isInstanceOf(GenerateException.class);
            ChatHistory next = cut.conversation().with(ChatHistory.USER, "w12");
            assertThat(chat.reply(next, OPTIONS, _ -> true).sequence().tokens())
                .isEqualTo(anew(named, PLAIN, Patches.NONE, next));
          }
        });
  }
}
