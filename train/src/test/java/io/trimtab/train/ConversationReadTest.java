package io.trimtab.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConversationReadTest {
  @TempDir private Path folder;

  private Path file(String text) throws IOException {
    Path file = folder.resolve("chat.jsonl");
    Files.writeString(file, text);
    return file;
  }

  private void refuses(String text, String... words) throws IOException {
    Path file = file(text);
    assertThatThrownBy(() -> Conversation.read(file))
        .isInstanceOf(DataException.class)
        .hasMessageContainingAll(words);
  }

  @Test
  void readsMessagesToolsAndLines() throws IOException {
    List<Conversation> all =
        Conversation.read(
            file(
                """
                {"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":"ho"}],"id":3}

                {"tools":[{"type":"function","function":{"name":"add"}}],"messages":[\
                {"role":"user","content":"1+1"},{"role":"assistant","content":null,"tool_calls":\
                [{"type":"function","function":{"name":"add","arguments":{"a":1,"b":1.5}}}]}]}
                """));
    assertThat(all).hasSize(2);
    assertThat(all.getFirst().line()).isEqualTo(1);
    assertThat(all.getFirst().tools()).isNull();
    assertThat(all.getFirst().isAssistants(0)).isFalse();
    assertThat(all.getFirst().isAssistants(1)).isTrue();
    Conversation second = all.getLast();
    assertThat(second.line()).isEqualTo(3);
    assertThat(second.tools()).hasSize(1);
    assertThat(second.messages().getLast()).containsEntry("content", null);
    assertThat(second.messages().getLast().get("tool_calls"))
        .isEqualTo(
            List.of(
                Map.of(
                    "type",
                    "function",
                    "function",
                    Map.of("name", "add", "arguments", Map.of("a", 1, "b", 1.5)))));
  }

  @Test
  void saysWhichLineIsNoConversation() throws IOException {
    refuses("", "chat.jsonl is empty");
    refuses("{\"text\":\"a\"}\n", "line 1", "no \"messages\"");
    refuses("\n[1]\n", "line 2", "no \"messages\"");
    refuses("{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}", "line 1", "\"assistant\"");
    refuses("{\"messages\":[{\"content\":\"a\"}]}", "message 1 has no \"role\"");
    refuses("{\"messages\":[3]}", "is no object");
    refuses("{\"messages\":[{\"role\":\"assistant\"}],\"tools\":1}", "\"tools\" is no list");
    refuses("{\"messages\":", "line 1 is not JSON");
    Path missing = folder.resolve("none.jsonl");
    assertThatThrownBy(() -> Conversation.read(missing))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("not there");
  }
}
