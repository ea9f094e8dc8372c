package io.trimtab.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ChatHistoryTest {
  private static final ChatHistory TWO_TURNS =
      ChatHistory.EMPTY
          .withSystem("be brief")
          .with(ChatHistory.USER, "one")
          .with(ChatHistory.ASSISTANT, "1")
          .with(ChatHistory.USER, "two")
          .with(ChatHistory.ASSISTANT, "2");

  @Test
  void turnsAreTakenBackOneByOne() {
    assertThat(TWO_TURNS.turns()).isEqualTo(2);
    assertThat(TWO_TURNS.withoutLastAnswer())
        .isEqualTo(TWO_TURNS.withoutLastTurn().with(ChatHistory.USER, "two"));
    ChatHistory none = TWO_TURNS.withoutLastTurn().withoutLastTurn();
    assertThat(none).isEqualTo(TWO_TURNS.withoutTurns());
    assertThat(none.system()).contains("be brief");
    assertThat(none.turns()).isZero();
    assertThatThrownBy(none::withoutLastTurn)
        .isInstanceOf(ChatException.class)
        .hasMessageContaining("no message of the user");
  }

  @Test
  void theSystemMessageIsTheFirstAndTheOnlyOne() {
    ChatHistory other = TWO_TURNS.withSystem("be long");
    assertThat(other.messages()).hasSize(5).first().isEqualTo(message("system", "be long"));
    assertThat(other.withSystem("").messages())
        .hasSize(4)
        .first()
        .isEqualTo(message("user", "one"));
    assertThat(other.withSystem("").withoutTurns()).isEqualTo(ChatHistory.EMPTY);
    assertThat(other.input().messages().getFirst())
        .isEqualTo(Map.of("role", "system", "content", "be long"));
    assertThat(other.input().addGenerationPrompt()).isTrue();
  }

  private static ChatHistory.Message message(String role, String content) {
    return new ChatHistory.Message(role, content);
  }

  @Test
  void filesGiveBackWhatWasWritten(@TempDir Path folder) throws IOException {
    ChatHistory odd =
        TWO_TURNS.with("user", "a \"quote\",\na line, \t ü, \uD83D\uDE00, \\ and \u2028");
    Path file = folder.resolve("chat.jsonl");
    odd.write(file);
    assertThat(Files.readString(file).lines()).hasSize(1);
    assertThat(ChatHistory.read(file)).isEqualTo(odd);
    TWO_TURNS.write(file);
    assertThat(ChatHistory.read(file)).isEqualTo(TWO_TURNS);
    assertThat(folder.toFile().list()).containsExactly("chat.jsonl");
    ChatHistory.EMPTY.write(file);
    assertThat(ChatHistory.read(file)).isEqualTo(ChatHistory.EMPTY);
  }

  @Test
  void whatIsNoConversationIsRefused(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("chat.jsonl");
    assertThatThrownBy(() -> ChatHistory.read(file)).isInstanceOf(HubException.NotFound.class);
    for (String text :
        new String[] {
          "",
          "[]",
          "{\"messages\": 1}",
          "{\"messages\": [1]}",
          "{\"messages\": [{\"role\": \"user\"}]}",
          "{\"messages\": [{\"role\": \"user\", \"content\": [\"a\"]}]}",
          "{\"messages\": [{\"role\": \"user\", \"content\": \"a\", \"tool_calls\": []}]}",
          "{\"messages\": []}\n{\"messages\": []}"
        }) {
      Files.writeString(file, text);
      assertThatThrownBy(() -> ChatHistory.read(file))
          .as(text)
          .isInstanceOf(HubException.Malformed.class)
          .hasMessageContaining("expected");
    }
  }
}
