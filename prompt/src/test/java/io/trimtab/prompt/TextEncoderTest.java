package io.trimtab.prompt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trimtab.hub.ChatTemplates;
import io.trimtab.hub.Tokenizer;
import io.trimtab.model.LanguageModel;
import io.trimtab.prompt.TextTask.TooLong;
import io.trimtab.prompt.TextTask.Turns;
import io.trimtab.train.Conversation;
import io.trimtab.train.DataException;
import io.trimtab.train.Table;
import io.trimtab.train.TokenExample;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** Which tokens examples become, and which of them are learnt; every byte is a token here. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class TextEncoderTest {
  private static final String TURNS =
      "{% for m in messages %}<s>{{ m.role }}\n{{ m.content }}</s>\n{% endfor %}"
          + "{% if add_generation_prompt %}<s>assistant\n{% endif %}";
  private static final String MARKED =
      "{% for m in messages %}<s>{{ m.role }}\n{% if m.role == 'assistant' %}"
          + "{% generation %}{{ m.content }}{% endgeneration %}</s>\n"
          + "{% else %}{{ m.content }}</s>\n{% endif %}{% endfor %}"
          + "{% if add_generation_prompt %}<s>assistant\n{% endif %}";
  private static final ChatTemplates NONE = new ChatTemplates(Map.of(), Map.of());

  private Path directory = Path.of("");
  private LanguageModel model;

  @BeforeAll
  void open(@TempDir Path temporary) throws IOException {
    directory = temporary;
    model = TinyDecoder.of(temporary, Tiny.byteLevel(temporary), 200);
  }

  @AfterAll
  void close() {
    model.close();
  }

  private static Map<String, @Nullable Object> says(String role, String content) {
    return Map.of("role", role, "content", content);
  }

  private static final Conversation TWO =
      new Conversation(
          List.of(
              says("user", "hi"),
              says("assistant", "ho"),
              says("user", "bye"),
              says("assistant", "later"),
              says("user", "unanswered")),
          null,
          7);

  private TextEncoder.Encoded encode(TextTask task, ChatTemplates templates, TextData data) {
    return new TextEncoder(model, task, () -> templates).encode(data);
  }

  private TextEncoder.Encoded encode(TextTask task, String template, Conversation conversation) {
    return encode(task, TinyDecoder.templates(template), TextData.of(List.of(conversation)));
  }

  private String text(TokenExample example, boolean learnt) {
    Tokenizer tokenizer = model.tokenizer();
    int[] ids =
        IntStream.range(0, example.ids().length)
            .filter(i -> !learnt || example.answered()[i])
            .map(i -> example.ids()[i])
            .toArray();
    return tokenizer.decode(ids, false);
  }

  private TokenExample only(TextEncoder.Encoded encoded) {
    assertThat(encoded.items()).hasSize(1);
    return encoded.examples().getFirst();
  }

  @Test
  void anAssistantsTurnsAndTheirEndsAreLearnt() {
    TokenExample all = only(encode(TextTask.chat(), TURNS, TWO));
    assertThat(text(all, false))
        .isEqualTo(
            "<s>user\nhi</s>\n<s>assistant\nho</s>\n<s>user\nbye</s>\n<s>assistant\nlater</s>\n");
    assertThat(text(all, true)).isEqualTo("ho</s>later</s>");
    assertThat(all.learnt()).isEqualTo(2 + 1 + 5 + 1);
    TokenExample last = only(encode(TextTask.chat().turns(Turns.LAST), TURNS, TWO));
    assertThat(last.ids()).isEqualTo(all.ids());
    assertThat(text(last, true)).isEqualTo("later</s>");
    // The newline after the last end foretells nothing, and the end itself is not read either.
    assertThat(last.length()).isEqualTo(last.ids().length - 2);
  }

  @Test
  void whatATemplateMarksIsLearnt() {
    TokenExample all = only(encode(TextTask.chat(), MARKED, TWO));
    assertThat(text(all, true)).isEqualTo("holater");
    TokenExample last = only(encode(TextTask.chat().turns(Turns.LAST), MARKED, TWO));
    assertThat(text(last, true)).isEqualTo("later");
    assertThat(last.ids()).isEqualTo(all.ids());
  }

  /** As templates that leave out what was thought in earlier turns. */
  @Test
  void aTurnThatIsWrittenOtherwiseLaterIsAnError() {
    String changing =
        "{% for m in messages %}<s>{{ m.role }}\n"
            + "{% if loop.last and m.role == 'assistant' %}<think>{% endif %}"
            + "{{ m.content }}</s>\n{% endfor %}"
            + "{% if add_generation_prompt %}<s>assistant\n<think>{% endif %}";
    assertThatThrownBy(() -> encode(TextTask.chat(), changing, TWO))
        .isInstanceOf(PromptException.Conversation.class)
        .hasMessageContainingAll("conversations line 7", "message 2", "last turns alone");
    TokenExample last = only(encode(TextTask.chat().turns(Turns.LAST), changing, TWO));
    assertThat(text(last, true)).isEqualTo("later</s>");
    String refusing = "{{ raise_exception('only users here') }}";
    assertThatThrownBy(() -> encode(TextTask.chat(), refusing, TWO))
        .isInstanceOf(PromptException.Conversation.class)
        .hasMessageContainingAll("line 7", "only users here");
    Conversation first = new Conversation(List.of(says("assistant", "hello")), null, 3);
    assertThatThrownBy(() -> encode(TextTask.chat(), TURNS, first))
        .isInstanceOf(PromptException.Conversation.class)
        .hasMessageContainingAll("line 3", "first message is the assistant's");
  }

  @Test
  void toolsAreForTheTemplateOfTools() {
    String withTools = "T{% for t in tools %}{{ t.name }};{% endfor %}" + TURNS;
    ChatTemplates two =
        new ChatTemplates(Map.of("default", TURNS, "tool_use", withTools), Map.of());
    Conversation called =
        new Conversation(TWO.messages().subList(0, 2), List.of(Map.of("name", "add")), 1);
    TokenExample example = only(encode(TextTask.chat(), two, TextData.of(List.of(called))));
    assertThat(text(example, false)).startsWith("Tadd;<s>user\nhi");
    assertThat(text(example, true)).isEqualTo("ho</s>");
  }

  private static TextData table(TextTask task, List<String> columns, String... row) {
    return TextData.of(Table.of(columns, List.of(List.of(row))), task);
  }

  @Test
  void aCompletionAndTheEndAfterItAreLearnt() {
    TextTask task = TextTask.completions();
    TextData data = table(task, List.of("prompt", "completion"), "one two", " three");
    TokenExample example = only(encode(task, NONE, data));
    assertThat(text(example, false)).isEqualTo("<s>one two three</s>");
    assertThat(text(example, true)).isEqualTo(" three</s>");
    TextTask named = TextTask.completions("q", "a");
    TokenExample empty = only(encode(named, NONE, table(named, List.of("a", "q"), "yes", "")));
    assertThat(text(empty, true)).isEqualTo("yes</s>");
    assertThat(empty.learnt()).isEqualTo(4);
  }

  @Test
  void instructionsGoIntoTheChatTemplateOrATemplateOrAPlainOne() {
    TextTask task = TextTask.instructions();
    List<String> columns = List.of("instruction", "input", "output");
    TextData data = table(task, columns, "say {input}", "it", "it");
    TokenExample chat = only(encode(task, TinyDecoder.templates(TURNS), data));
    assertThat(text(chat, false))
        .isEqualTo("<s>user\nsay {input}\n\nit</s>\n<s>assistant\nit</s>\n");
    assertThat(text(chat, true)).isEqualTo("it</s>");
    TokenExample plain = only(encode(task, NONE, data));
    assertThat(text(plain, false))
        .isEqualTo("<s>Instruction: say {input}\nInput: it\nOutput: it</s>");
    TokenExample own =
        only(encode(task.template("{instruction}|{input}="), TinyDecoder.templates(TURNS), data));
    assertThat(text(own, false)).isEqualTo("<s>say {input}|it=it</s>");
    assertThat(text(own, true)).isEqualTo("it</s>");
    TextData without = table(task, List.of("instruction", "output"), "say it", "it");
    assertThat(text(only(encode(task, NONE, without)), false))
        .isEqualTo("<s>Instruction: say it\nOutput: it</s>");
    assertThatThrownBy(() -> task.template("no place")).isInstanceOf(PromptException.Syntax.class);
    TextTask other = TextTask.instructions("instruction", "context", "output");
    assertThatThrownBy(() -> table(other, List.of("instruction", "output"), "a", "b"))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("no column \"context\"");
  }

  @Test
  void everyTokenOfALongTextIsForetoldOnce() throws IOException {
    Path file = directory.resolve("long.txt");
    String text = "0123456789".repeat(7);
    Files.writeString(file, text);
    TextTask task = TextTask.texts().maxLength(20);
    TextEncoder.Encoded encoded = encode(task, NONE, TextData.read(file, task));
    StringBuilder foretold = new StringBuilder();
    for (TokenExample example : encoded.examples()) {
      assertThat(example.ids().length).isBetween(2, 20);
      int[] own = java.util.Arrays.copyOfRange(example.ids(), 1, example.ids().length);
      foretold.append(model.tokenizer().decode(own, false));
      assertThat(example.learnt()).isEqualTo(own.length);
    }
    assertThat(foretold.toString()).isEqualTo(text + "</s>");
    assertThat(encoded.cut() + encoded.leftOut()).isZero();
  }

  @Test
  void whatIsTooLongIsCutOrLeftOutOrRefused() {
    TextTask task = TextTask.completions().maxLength(12);
    Table rows =
        Table.of(
            List.of("prompt", "completion"),
            List.of(
                List.of("abcdefgh", "ij"),
                List.of("abcdefgh", "ijklmnop"),
                List.of("a".repeat(30), "b")));
    TextData data = TextData.of(rows, task);
    TextEncoder.Encoded end = encode(task, NONE, data);
    assertThat(end.examples().stream().map(e -> text(e, true)).toList())
        .containsExactly("ij</s>", "ijk");
    assertThat(end.cut()).isEqualTo(1);
    assertThat(end.leftOut()).isEqualTo(1);
    TextEncoder.Encoded start = encode(task.tooLong(TooLong.CUT_START), NONE, data);
    assertThat(start.examples().stream().map(e -> text(e, false)).toList())
        .containsExactly("<s>abcdefghij</s>", "fghijklmnop</s>", "a".repeat(10) + "b</s>");
    assertThat(start.cut()).isEqualTo(2);
    TextEncoder.Encoded out = encode(task.tooLong(TooLong.LEAVE_OUT), NONE, data);
    assertThat(out.items()).hasSize(1);
    assertThat(out.cut()).isZero();
    assertThat(out.leftOut()).isEqualTo(2);
    assertThatThrownBy(() -> encode(task.tooLong(TooLong.FAIL), NONE, data))
        .isInstanceOf(DataException.class)
        .hasMessageContainingAll("table line 2", "18 tokens", "at most 12");
    assertThatThrownBy(() -> encode(task.maxLength(4), NONE, data))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("anything to learn within 4 tokens");
    // The model has 200 positions.
    assertThat(new TextEncoder(model, TextTask.chat(), () -> NONE).maxLength()).isEqualTo(200);
  }

  @Test
  void theModelHasToFit() {
    assertThatThrownBy(() -> new TextEncoder(model, TextTask.pairs(), () -> NONE))
        .isInstanceOf(PromptException.class)
        .hasMessageContainingAll("\"seq2seq\"", "llama", "an encoder-decoder");
    TextData data = TextData.of(List.of(TWO));
    assertThatThrownBy(() -> encode(TextTask.chat(), NONE, data))
        .hasMessageContaining("no chat template");
  }

  @Test
  void theQuestionIsWhatWasSaidBefore() {
    List<TextExample> examples = new ArrayList<>(TextData.of(List.of(TWO)).examples());
    assertThat(examples.getFirst().question()).isEqualTo("bye");
  }
}
