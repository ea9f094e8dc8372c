package io.trimtab.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.trimtab.hub.ChatHistory;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Conversations with a tiny decoder, over standard input and by {@code --message}. */
class ChatCommandTest {
  private static final String TEMPLATE =
      """
      {%- for message in messages -%}
        {%- if message.content == 'forbidden' %}{{ raise_exception('not that') }}{% endif -%}
        {{ message.role[0] }} {{ message.content }} [SEP]{{ ' ' }}
      {%- endfor -%}
      {%- if add_generation_prompt %}a{% endif -%}
      """;

  @TempDir private static Path folder;
  private static String model = "";
  private static String adapter = "";

  @BeforeAll
  static void writeModel() throws IOException {
    Path directory = TinyLlama.write(folder, 1);
    Files.writeString(directory.resolve("chat_template.jinja"), TEMPLATE);
    model = directory.toString();
    adapter = TinyLlama.writeAdapter(folder, model).toString();
  }

  private static List<String> greedy(String... more) {
    List<String> args =
        new ArrayList<>(
            List.of("chat", "--model", model, "--temperature", "0", "--max-tokens", "3"));
    args.addAll(List.of(more));
    return args;
  }

  /** Runs a command whose standard input has these lines. */
  private static Run typed(List<String> args, String... lines) {
    InputStream before = System.in;
    byte[] bytes = String.join("\n", lines).getBytes(Charset.defaultCharset());
    System.setIn(new ByteArrayInputStream(bytes));
    try {
      return Run.of(args);
    } finally {
      System.setIn(before);
    }
  }

  private static List<?> contents(Map<?, ?> result, String role) {
    return Run.list(result, "messages").stream()
        .filter(message -> Run.get(message, "role").equals(role))
        .map(message -> Run.get(message, "content"))
        .toList();
  }

  private static List<?> answers(Run run) {
    return Run.list(run.succeeded().json(), "answers");
  }

  @Test
  void messagesAreAnsweredInTurnAndWhatIsKnownIsNotComputedAgain() {
    String[] said = {"--system", "the news", "--message", "the film", "--message", "was funny"};
    Run run = Run.of(greedy(said), "--json");
    Map<?, ?> result = run.succeeded().json();
    assertThat(result.keySet())
        .map(String::valueOf)
        .containsExactly("model", "messages", "answers", "tokens", "seconds", "tokens_per_s");
    assertThat(contents(result, "system")).isEqualTo(List.of("the news"));
    assertThat(contents(result, "user")).isEqualTo(List.of("the film", "was funny"));
    List<?> answers = Run.list(result, "answers");
    assertThat(contents(result, "assistant"))
        .isEqualTo(answers.stream().map(answer -> Run.get(answer, "text")).toList());
    assertThat(Run.number(answers.getFirst(), "reused_tokens")).isZero();
    assertThat(Run.number(answers.getLast(), "reused_tokens"))
        .isGreaterThanOrEqualTo(Run.number(answers.getFirst(), "prompt_tokens") - 1);
    assertThat(Run.number(result, "tokens")).isEqualTo(6);
    Run shown = Run.of(greedy(said));
    assertThat(shown.succeeded().out().lines()).containsExactlyElementsOf(texts(answers));
    assertThat(shown.err()).isEmpty();
    assertThat(run.err().lines()).containsExactlyElementsOf(texts(answers));
  }

  private static List<String> texts(List<?> answers) {
    return answers.stream().map(answer -> String.valueOf(Run.get(answer, "text"))).toList();
  }

  @Test
  void linesOfStandardInputAreMessages() {
    Run typed = typed(greedy("--json"), "the film", "", "  was funny  ", "/exit", "never said");
    Run given = Run.of(greedy("--message", "the film", "--message", "was funny"), "--json");
    assertThat(typed.succeeded().json().get("messages")).isEqualTo(given.json().get("messages"));
    assertThat(answers(typed)).hasSize(2);
  }

  @Test
  void turnsAreTakenBackAndAnsweredAnew() {
    Run run = typed(greedy("--json"), "the film", "the news", "/undo", "/retry", "//a slash");
    Map<?, ?> result = run.succeeded().json();
    assertThat(contents(result, "user")).isEqualTo(List.of("the film", "/a slash"));
    List<?> answers = Run.list(result, "answers");
    assertThat(answers).hasSize(4);
    // The best tokens are the same again; drawn ones go by the next seed.
    assertThat(Run.get(answers.get(2), "text")).isEqualTo(Run.get(answers.get(0), "text"));
    Run drawn =
        typed(
            List.of("chat", "--model", model, "--max-tokens", "8", "--json"),
            "the film",
            "/retry",
            "/retry");
    assertThat(answers(drawn)).extracting(a -> Run.get(a, "text")).doesNotHaveDuplicates();
    assertThat(Run.list(drawn.json(), "messages")).hasSize(2);
  }

  @Test
  void conversationsAreSavedAndGoneOnWith() {
    Path file = folder.resolve("said.jsonl");
    Run first = typed(greedy("--json"), "/system the news", "the film", "/save " + file);
    assertThat(first.succeeded().out()).isNotEmpty();
    ChatHistory saved = ChatHistory.read(file);
    assertThat(saved.messages()).hasSize(3);
    assertThat(saved.system()).contains("the news");
    Run next = typed(greedy("--json"), "to be replaced", "/load " + file, "was funny");
    Run whole = typed(greedy("--json"), "/system the news", "the film", "was funny");
    assertThat(next.succeeded().json().get("messages")).isEqualTo(whole.json().get("messages"));
    Run again = typed(greedy("--json"), "/load " + file, "/reset", "/system", "was funny");
    assertThat(Run.list(again.succeeded().json(), "messages")).hasSize(2);
  }

  @Test
  void anotherDeltaAnswersFromThereOn() {
    Run run =
        typed(
            greedy("--json"),
            "the film",
            "/adapter " + adapter,
            "/retry",
            "/adapter none",
            "/retry");
    List<?> answers = answers(run);
    assertThat(Run.get(answers.get(1), "text")).isNotEqualTo(Run.get(answers.get(0), "text"));
    assertThat(Run.get(answers.get(2), "text")).isEqualTo(Run.get(answers.get(0), "text"));
    assertThat(answers)
        .as("nothing is known of what another delta computed")
        .allMatch(answer -> Run.number(answer, "reused_tokens") == 0);
    Run named =
        Run.of(
            "chat",
            "--adapter",
            adapter,
            "--temperature",
            "0",
            "--max-tokens",
            "3",
            "--message",
            "the film",
            "--json");
    assertThat(Run.get(answers(named).getFirst(), "text"))
        .isEqualTo(Run.get(answers.get(1), "text"));
    assertThat(named.json().get("adapter")).isEqualTo(adapter);
  }

  @Test
  void settingsChangeWhatComesNext() {
    Run run =
        typed(
            List.of("chat", "--model", model, "--json"),
            "/set temperature=0",
            "/set max_tokens=2",
            "the film",
            "/set",
            "/stats",
            "/help");
    assertThat(Run.number(answers(run).getFirst(), "tokens")).isEqualTo(2);
    assertThat(run.err())
        .contains("temperature=0.0", "max-tokens=2", "top-k=0", "1 turns, 1 answers of 2 tokens")
        .contains("/undo", "/adapter DELTA");
    assertThat(typed(greedy(), "/set top-q=1").err()).contains("top-q", "expected one of");
    assertThat(typed(greedy(), "/set top-k=many").err()).contains("expected a number");
    assertThat(typed(greedy(), "/set top-k").err()).contains("expected a number");
    assertThat(typed(greedy(), "/set temperature=-1").err()).contains("found temperature -1.0");
  }

  @Test
  void whatGoesWrongIsSaidAndTheConversationGoesOn() {
    String endless = "the film ".repeat(40);
    Run run =
        typed(
            greedy("--json"),
            "/undo",
            "/jump",
            "/save",
            "/load " + folder.resolve("none"),
            "/adapter " + folder.resolve("none"),
            "forbidden",
            endless,
            "the film");
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.err().lines().filter(line -> line.startsWith("trimtab: "))).hasSize(7);
    assertThat(run.err()).contains("found the command /jump", "not that", "positions");
    assertThat(contents(run.json(), "user")).isEqualTo(List.of("the film"));
    Run refused = Run.of(greedy("--message", "forbidden"));
    assertThat(refused.code()).isEqualTo(1);
    assertThat(refused.err().lines()).singleElement().asString().contains("not that");
  }

  @Test
  void aModelWithoutATemplateIsRefused() throws IOException {
    Path plain = TinyLlama.write(folder, 2);
    Run run = Run.of("chat", "--model", plain.toString(), "--message", "the film");
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.err().lines()).singleElement().asString().contains("template");
  }
}
