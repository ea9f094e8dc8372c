package io.trimtab.train;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/** Reads conversations from JSONL. */
final class ConversationReader {
  private static final JsonMapper JSON = JsonMapper.shared();

  private final String name;

  private ConversationReader(String name) {
    this.name = name;
  }

  static List<Conversation> read(Path file) {
    ConversationReader reader = new ConversationReader(String.valueOf(file.getFileName()));
    try (Reader text = new Utf8Reader(Files.newInputStream(file), reader.name)) {
      return reader.all(text);
    } catch (NoSuchFileException e) {
      throw new DataException("%s is not there; check the path".formatted(file), e);
    } catch (IOException | UncheckedIOException e) {
      throw new DataException("%s cannot be read: %s".formatted(file, e.getMessage()), e);
    }
  }

  private List<Conversation> all(Reader text) throws IOException {
    List<Conversation> all = new ArrayList<>();
    BufferedReader lines = new BufferedReader(text);
    int number = 0;
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      number++;
      if (!line.isBlank()) {
        all.add(one(line, number));
      }
    }
    if (all.isEmpty()) {
      throw new DataException(name + " is empty; expected one conversation a line");
    }
    return List.copyOf(all);
  }

  private Conversation one(String line, int number) {
    Object parsed;
    try {
      parsed = JSON.readValue(line, Object.class);
    } catch (JacksonException e) {
      throw new DataException(
          "%s line %d is not JSON: %s".formatted(name, number, e.getOriginalMessage()), e);
    }
    if (!(parsed instanceof Map<?, ?> object) || !(object.get("messages") instanceof List<?>)) {
      throw wrong(number, "there are no \"messages\"");
    }
    List<Map<String, @Nullable Object>> messages = objects(object.get("messages"), number);
    Object tools = object.get("tools");
    Conversation read =
        new Conversation(messages, tools == null ? null : objects(tools, number), number);
    for (int i = 0; i < messages.size(); i++) {
      if (!(messages.get(i).get("role") instanceof String)) {
        throw wrong(number, "message %d has no \"role\"".formatted(i + 1));
      }
    }
    boolean answered = false;
    for (int i = 0; i < messages.size(); i++) {
      answered |= read.isAssistants(i);
    }
    if (!answered) {
      throw wrong(number, "no message has the role \"assistant\"");
    }
    return read;
  }

  private List<Map<String, @Nullable Object>> objects(@Nullable Object value, int number) {
    if (!(value instanceof List<?> list)) {
      throw wrong(number, "\"tools\" is no list");
    }
    List<Map<String, @Nullable Object>> objects = new ArrayList<>();
    for (Object item : list) {
      if (!(item instanceof Map<?, ?> map)) {
        throw wrong(number, "a message or tool is no object");
      }
      Map<String, @Nullable Object> copy = new LinkedHashMap<>();
      map.forEach((key, each) -> copy.put(String.valueOf(key), each));
      objects.add(copy);
    }
    return objects;
  }

  private DataException wrong(int number, String found) {
    return new DataException(
        ("%s line %d: %s; expected {\"messages\": [{\"role\": \"user\", \"content\": \"…\"},"
                + " {\"role\": \"assistant\", \"content\": \"…\"}]}, and \"tools\" where there are"
                + " such")
            .formatted(name, number, found));
  }
}
