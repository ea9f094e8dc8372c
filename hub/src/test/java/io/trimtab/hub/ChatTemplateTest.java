package io.trimtab.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.trimtab.jinja.JinjaException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Prompts, against those that transformers makes of the same conversations. */
class ChatTemplateTest {
  private static final Clock NOON =
      Clock.fixed(Instant.parse("2026-11-28T12:00:00Z"), ZoneOffset.UTC);

  /** Every {@code cases.json} below the fixtures that holds templates and conversations. */
  @TestFactory
  Stream<DynamicTest> rendersAsTransformers() throws IOException {
    Path fixtures = Path.of(System.getProperty("trimtab.fixtures", "missing"));
    List<DynamicTest> tests = new ArrayList<>();
    if (Files.isDirectory(fixtures)) {
      try (Stream<Path> folders = Files.list(fixtures)) {
        for (Path folder : folders.sorted().toList()) {
          Path file = folder.resolve("cases.json");
          if (Files.isRegularFile(file)) {
            addCases(Json.readObject(file), String.valueOf(folder.getFileName()), tests);
          }
        }
      }
    }
    assumeTrue(!tests.isEmpty(), "no recorded conversations at -Dtrimtab.fixtures");
    return tests.stream();
  }

  private static void addCases(
      Map<String, @Nullable Object> file, String folder, List<DynamicTest> tests) {
    if (!(file.get("templates") instanceof Map<?, ?> templates)
        || !(file.get("conversations") instanceof Map<?, ?> conversations)) {
      return;
    }
    Map<String, String> tokens = new LinkedHashMap<>();
    file.forEach(
        (key, value) -> {
          if (key.endsWith("_token")) {
            tokens.put(key, String.valueOf(value));
          }
        });
    for (Object entry : (List<?>) Objects.requireNonNull(file.get("cases"))) {
      Map<String, @Nullable Object> it = map(entry);
      boolean tools = Boolean.TRUE.equals(it.get("tools"));
      boolean prompt = Boolean.TRUE.equals(it.get("add_generation_prompt"));
      ChatInput chat =
          ChatInput.of(maps(conversations.get(it.get("conversation"))))
              .withTools(tools ? maps(file.get("tools")) : null)
              .withGenerationPrompt(prompt)
              .withVariables(map(it.get("extra")));
      String source = (String) Objects.requireNonNull(templates.get(it.get("template")));
      String name =
          "%s: %s, %s, tools %s, prompt %s, %s"
              .formatted(
                  folder,
                  it.get("template"),
                  it.get("conversation"),
                  tools,
                  prompt,
                  it.get("extra"));
      tests.add(
          DynamicTest.dynamicTest(
              name,
              () -> check(it, () -> ChatTemplate.of(source, tokens).withClock(NOON).render(chat))));
    }
  }

  private static void check(Map<String, @Nullable Object> it, Supplier<String> rendering) {
    if (it.get("error") instanceof String error) {
      String words = error.substring(error.indexOf(' ') + 1);
      assertThatThrownBy(rendering::get)
          .as(error)
          .isInstanceOf(error.startsWith("ValueError") ? ChatException.class : JinjaException.class)
          .isNotInstanceOf(JinjaException.LimitExceeded.class)
          .message()
          .satisfies(
              message -> {
                if (error.startsWith("TemplateError")) {
                  assertThat(message).endsWith(words);
                }
              });
    } else {
      assertThat(rendering.get()).isEqualTo(it.get("text"));
    }
  }

  @TestFactory
  Stream<DynamicTest> treatsInputsAsTransformers() throws IOException {
    List<DynamicTest> tests = new ArrayList<>();
    Map<String, String> tokens = Map.of("bos_token", "<s>", "eos_token", "</s>");
    for (Object entry : (List<?>) Objects.requireNonNull(inputs().get("cases"))) {
      Map<String, @Nullable Object> it = map(entry);
      Map<String, @Nullable Object> options = new LinkedHashMap<>(map(it.get("options")));
      Object field = options.remove("continue_final_message");
      boolean prompt = Boolean.TRUE.equals(options.remove("add_generation_prompt"));
      Object documents = options.remove("documents");
      ChatInput chat =
          new ChatInput(
              maps(it.get("messages")),
              null,
              documents == null ? null : maps(documents),
              prompt,
              field instanceof String name ? name : field == null ? null : "content",
              options);
      String source = (String) Objects.requireNonNull(it.get("template"));
      tests.add(
          DynamicTest.dynamicTest(
              source + " " + it.get("options"),
              () -> check(it, () -> ChatTemplate.of(source, tokens).render(chat))));
    }
    return tests.stream();
  }

  @Test
  void datesAreWrittenAsInPython() throws IOException {
    List<?> dates = (List<?>) Objects.requireNonNull(inputs().get("dates"));
    assertThat(dates).isNotEmpty();
    for (Object entry : dates) {
      Map<String, @Nullable Object> it = map(entry);
      LocalDateTime time = LocalDateTime.parse(String.valueOf(it.get("time")));
      assertThat(Strftime.format(String.valueOf(it.get("format")), time))
          .as("%s of %s", it.get("format"), time)
          .isEqualTo(it.get("text"));
    }
  }

  @Test
  void theClockIsTheCallers() {
    ChatTemplate template =
        ChatTemplate.of("{{ strftime_now('%d %b %Y') }}", Map.of()).withClock(NOON);
    assertThat(template.render(ChatInput.of(List.of(Map.of("role", "user")))))
        .isEqualTo("28 Nov 2026");
  }

  @Test
  void assistantPartsAreMarked() {
    var rendering =
        ChatTemplate.of(
                "{% for m in messages %}[{% if m.role == 'assistant' %}{% generation %}{{ m.content"
                    + " }}{% endgeneration %}{% else %}{{ m.content }}{% endif %}]{% endfor %}",
                Map.of())
            .rendering(
                ChatInput.of(
                    List.of(
                        Map.of("role", "user", "content", "q"),
                        Map.of("role", "assistant", "content", "answer"))));
    assertThat(rendering.text()).isEqualTo("[q][answer]");
    assertThat(rendering.generations())
        .singleElement()
        .satisfies(
            span ->
                assertThat(rendering.text().substring(span.start(), span.end()))
                    .isEqualTo("answer"));
  }

  @Test
  void templatesAreReadFromWhereTheyLie(@TempDir Path directory) throws IOException {
    assertThatThrownBy(() -> ChatTemplates.read(directory).select(false))
        .isInstanceOf(ChatException.class)
        .hasMessageContaining("no chat template");
    Files.writeString(directory.resolve("chat_template.json"), "{\"chat_template\": \"json\"}");
    assertThat(ChatTemplates.read(directory).select(false).source()).isEqualTo("json");
    Files.writeString(
        directory.resolve("tokenizer_config.json"),
        "{\"bos_token\": {\"content\": \"<s>\"}, \"eos_token\": \"</s>\", \"chat_template\":"
            + " \"one\"}");
    assertThat(ChatTemplates.read(directory).select(true).source()).isEqualTo("one");
    Files.writeString(
        directory.resolve("tokenizer_config.json"),
        "{\"bos_token\": {\"content\": \"<s>\"}, \"chat_template\": [{\"name\": \"default\","
            + " \"template\": \"d\"}, {\"name\": \"tool_use\", \"template\": \"t\"}]}");
    ChatTemplates list = ChatTemplates.read(directory);
    assertThat(list.select(false).source()).isEqualTo("d");
    assertThat(list.select(true).source()).isEqualTo("t");
    assertThat(list.specialTokens()).containsExactly(Map.entry("bos_token", "<s>"));
    assertThatThrownBy(() -> list.named("rag"))
        .isInstanceOf(ChatException.class)
        .hasMessageContaining("default, tool_use");
    Files.writeString(directory.resolve("chat_template.jinja"), "file");
    Files.createDirectory(directory.resolve("additional_chat_templates"));
    Files.writeString(directory.resolve("additional_chat_templates/rag.jinja"), "rag");
    ChatTemplates files = ChatTemplates.read(directory);
    assertThat(files.select(true).source()).isEqualTo("file");
    assertThat(files.named("rag").source()).isEqualTo("rag");
    Files.delete(directory.resolve("chat_template.jinja"));
    Files.delete(directory.resolve("additional_chat_templates/rag.jinja"));
    Files.writeString(directory.resolve("tokenizer_config.json"), "{\"chat_template\": 5}");
    assertThatThrownBy(() -> ChatTemplates.read(directory))
        .isInstanceOf(HubException.Malformed.class);
  }

  @Test
  void aFileThatHoldsAWholeModelNamesThemItself() {
    ChatTemplates one =
        ChatTemplates.of(
            Map.of("chat_template", "{{ bos_token }}", "bos_token", "<s>", "pad_token", ""),
            "m.gguf");
    assertThat(one.defaultSource()).contains("{{ bos_token }}");
    assertThat(one.select(true).render(ChatInput.of(List.of(Map.of("role", "user")))))
        .isEqualTo("<s>");
    assertThat(one.specialTokens()).containsOnlyKeys("bos_token");
    assertThat(ChatTemplates.of(Map.of(), "m.gguf").defaultSource()).isEmpty();
    assertThatThrownBy(() -> ChatTemplates.of(Map.of("chat_template", List.of(5)), "m.gguf"))
        .isInstanceOf(HubException.Malformed.class)
        .hasMessageContaining("m.gguf");
  }

  private static Map<String, @Nullable Object> inputs() throws IOException {
    try (InputStream in =
        Objects.requireNonNull(ChatTemplateTest.class.getResourceAsStream("chat-inputs.json"))) {
      return Json.parseObject(in.readAllBytes(), "chat-inputs.json");
    }
  }

  @SuppressWarnings("unchecked") // what Json reads
  private static Map<String, @Nullable Object> map(@Nullable Object value) {
    return (Map<String, @Nullable Object>) Objects.requireNonNull(value);
  }

  @SuppressWarnings("unchecked") // what Json reads
  private static List<Map<String, @Nullable Object>> maps(@Nullable Object value) {
    return (List<Map<String, @Nullable Object>>) Objects.requireNonNull(value);
  }
}
