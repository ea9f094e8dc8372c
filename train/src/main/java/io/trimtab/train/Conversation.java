package io.trimtab.train;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Messages between a user and an assistant, for a model's own chat template.
 *
 * @param messages maps with {@code role}, {@code content} and whatever else the template reads,
 *     such as {@code tool_calls}
 * @param tools JSON schemas of functions that the assistant may call; null for none
 * @param line the line of the file that it is from, from 1; 0 if it comes from no file
 */
public record Conversation(
    List<Map<String, @Nullable Object>> messages,
    @Nullable List<Map<String, @Nullable Object>> tools,
    int line) {
  /** Copies the lists. */
  public Conversation {
    messages = List.copyOf(messages);
    tools = tools == null ? null : List.copyOf(tools);
  }

  /** One question and its answer. */
  public static Conversation of(String user, String assistant) {
    return new Conversation(
        List.of(
            Map.of("role", "user", "content", user),
            Map.of("role", "assistant", "content", assistant)),
        null,
        0);
  }

  /** Whether a message is the assistant's. */
  public boolean isAssistants(int message) {
    return "assistant".equals(messages.get(message).get("role"));
  }

  /**
   * Reads JSONL: one object a line with {@code messages} and, where there are such, {@code tools};
   * other fields are left alone.
   *
   * @throws DataException if the file is missing or empty, or a line is no conversation in which an
   *     assistant says something
   */
  public static List<Conversation> read(Path file) {
    return ConversationReader.read(file);
  }
}
