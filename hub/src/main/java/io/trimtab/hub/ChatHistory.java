package io.trimtab.hub;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What a user and a model have said so far. A turn is a user's message with all that answers it.
 * Immutable: each change gives another conversation.
 *
 * <p>Its file is a line of JSON, {@code {"messages": [{"role": "user", "content": "…"}, …]}}, as
 * files of conversations to train on have them.
 *
 * @param messages in the order they were said
 */
public record ChatHistory(List<Message> messages) {
  /** The role of what a model is told before all else. */
  public static final String SYSTEM = "system";

  /** The role of who asks. */
  public static final String USER = "user";

  /** The role of the model. */
  public static final String ASSISTANT = "assistant";

  /** Nothing said yet. */
  public static final ChatHistory EMPTY = new ChatHistory(List.of());

  private static final String MESSAGES = "messages";
  private static final String ROLE = "role";
  private static final String CONTENT = "content";

  /**
   * What somebody said.
   *
   * @param role who: {@code system}, {@code user}, {@code assistant}, or what else a template knows
   * @param content what
   */
  public record Message(String role, String content) {
    Map<String, String> fields() {
      Map<String, String> fields = new LinkedHashMap<>();
      fields.put(ROLE, role);
      fields.put(CONTENT, content);
      return fields;
    }
  }

  /** Copies the list. */
  public ChatHistory {
    messages = List.copyOf(messages);
  }

  /** The same with one more message. */
  public ChatHistory with(String role, String content) {
    List<Message> more = new ArrayList<>(messages);
    more.add(new Message(role, content));
    return new ChatHistory(more);
  }

  /** What the model is told before all else. */
  public Optional<String> system() {
    return beginsWithSystem() ? Optional.of(messages.getFirst().content()) : Optional.empty();
  }

  /** The same where the model is told something else before all else; nothing if that is empty. */
  public ChatHistory withSystem(String text) {
    List<Message> all = new ArrayList<>(turnsAlone());
    if (!text.isEmpty()) {
      all.addFirst(new Message(SYSTEM, text));
    }
    return new ChatHistory(all);
  }

  /** Only what the model is told before all else. */
  public ChatHistory withoutTurns() {
    return new ChatHistory(messages.subList(0, beginsWithSystem() ? 1 : 0));
  }

  private boolean beginsWithSystem() {
    return !messages.isEmpty() && messages.getFirst().role().equals(SYSTEM);
  }

  private List<Message> turnsAlone() {
    return messages.subList(beginsWithSystem() ? 1 : 0, messages.size());
  }

  /** The number of turns. */
  public int turns() {
    return (int) messages.stream().filter(message -> message.role().equals(USER)).count();
  }

  /**
   * The same without its last turn.
   *
   * @throws ChatException where there is none
   */
  public ChatHistory withoutLastTurn() {
    return new ChatHistory(messages.subList(0, lastUser()));
  }

  /**
   * The same up to the last message of the user, which is to be answered anew.
   *
   * @throws ChatException where there is none
   */
  public ChatHistory withoutLastAnswer() {
    return new ChatHistory(messages.subList(0, lastUser() + 1));
  }

  private int lastUser() {
    for (int i = messages.size() - 1; i >= 0; i--) {
      if (messages.get(i).role().equals(USER)) {
        return i;
      }
    }
    throw new ChatException(
        "found no message of the user in the conversation, expected one; say something first");
  }

  /** What a template makes a prompt of that the model is to answer. */
  public ChatInput input() {
    return ChatInput.of(messages.stream().map(Message::fields).toList());
  }

  /**
   * Reads a file with one conversation.
   *
   * @throws HubException.NotFound when there is no such file
   * @throws HubException.Malformed when it holds no conversation, or several, or what is more than
   *     roles and texts
   */
  public static ChatHistory read(Path file) {
    try {
      List<String> lines = Files.readString(file).lines().filter(line -> !line.isBlank()).toList();
      if (lines.size() != 1) {
        throw new HubException.Malformed(
            "found " + lines.size() + " lines in " + file + ", expected one conversation on one");
      }
      byte[] bytes = lines.getFirst().getBytes(StandardCharsets.UTF_8);
      return of(Json.parseObject(bytes, file.toString()), file);
    } catch (NoSuchFileException e) {
      throw new HubException.NotFound("no file " + file + "; expected a conversation there", e);
    } catch (IOException e) {
      throw new HubException.Disk("cannot read " + file + ": " + e, e);
    }
  }

  private static ChatHistory of(Map<String, @Nullable Object> object, Path file) {
    if (!(object.get(MESSAGES) instanceof List<?> list)) {
      throw new HubException.Malformed(
          file + ": expected a list of messages as \"messages\", found " + object.keySet());
    }
    ChatHistory all = EMPTY;
    for (Object each : list) {
      if (each instanceof Map<?, ?> map
          && map.size() == 2
          && map.get(ROLE) instanceof String role
          && map.get(CONTENT) instanceof String content) {
        all = all.with(role, content);
      } else {
        throw new HubException.Malformed(
            file
                + ": expected messages of a role and a content, both texts, found "
                + (each instanceof Map<?, ?> map ? "one with " + map.keySet() : each));
      }
    }
    return all;
  }

  /**
   * Writes it as a file of one line, in place of what was there.
   *
   * @throws HubException.Disk when the disk refuses
   */
  public void write(Path file) {
    try {
      Map<String, Object> object = new LinkedHashMap<>();
      object.put(MESSAGES, messages.stream().map(Message::fields).toList());
      AtomicFiles.write(file, Json.line(object) + "\n");
    } catch (IOException e) {
      throw new HubException.Disk("cannot write " + file + ": " + e, e);
    }
  }
}
