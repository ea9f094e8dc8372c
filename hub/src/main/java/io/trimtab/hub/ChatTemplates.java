package io.trimtab.hub;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The chat templates that come with a tokenizer, by name; a single one is called {@code default}.
 *
 * @param sources the templates' texts
 * @param specialTokens the variables {@code bos_token}, {@code eos_token} and so on
 */
public record ChatTemplates(Map<String, String> sources, Map<String, String> specialTokens) {
  /** The name of the template that is taken where none is named. */
  public static final String DEFAULT = "default";

  private static final String KEY = "chat_template";

  /** Copies the maps. */
  public ChatTemplates {
    sources = Map.copyOf(sources);
    specialTokens = Map.copyOf(specialTokens);
  }

  /**
   * Reads {@code chat_template.jinja} and {@code additional_chat_templates/*.jinja}; where there
   * are none, the {@code chat_template} of {@code tokenizer_config.json} (a text, or a list of
   * named ones); where there is none either, that of {@code chat_template.json}. The special tokens
   * come from {@code special_tokens_map.json} and {@code tokenizer_config.json}.
   *
   * @throws HubException.Malformed when the files cannot be understood
   */
  public static ChatTemplates read(Path directory) {
    Map<String, @Nullable Object> config = new LinkedHashMap<>();
    for (String name : List.of("special_tokens_map.json", "tokenizer_config.json")) {
      config.putAll(object(directory.resolve(name)));
    }
    String where = directory.toString();
    Map<String, String> sources = files(directory);
    if (sources.isEmpty()) {
      sources = named(config.get(KEY), where);
    }
    if (sources.isEmpty()) {
      sources = named(object(directory.resolve("chat_template.json")).get(KEY), where);
    }
    return new ChatTemplates(sources, tokens(config));
  }

  /**
   * The templates and special tokens that a {@code tokenizer_config.json} names.
   *
   * @param where the file that it is from, for messages
   * @throws HubException.Malformed when its templates cannot be understood
   */
  static ChatTemplates of(Map<String, @Nullable Object> config, String where) {
    return new ChatTemplates(named(config.get(KEY), where), tokens(config));
  }

  private static Map<String, String> tokens(Map<String, @Nullable Object> config) {
    Map<String, String> tokens = new LinkedHashMap<>();
    for (SpecialToken role : SpecialToken.values()) {
      String token = TokenizerJson.name(config, role, "");
      if (!token.isEmpty()) {
        tokens.put(role.configKey(), token);
      }
    }
    return tokens;
  }

  private static Map<String, @Nullable Object> object(Path file) {
    return Files.isRegularFile(file) ? Json.readObject(file) : Map.of();
  }

  private static Map<String, String> files(Path directory) {
    Map<String, String> sources = new LinkedHashMap<>();
    Path single = directory.resolve("chat_template.jinja");
    Path others = directory.resolve("additional_chat_templates");
    try {
      if (Files.isRegularFile(single)) {
        sources.put(DEFAULT, Files.readString(single, StandardCharsets.UTF_8));
      }
      if (Files.isDirectory(others)) {
        try (Stream<Path> files = Files.list(others)) {
          for (Path file : files.sorted().toList()) {
            String name = String.valueOf(file.getFileName());
            if (name.endsWith(".jinja")) {
              sources.put(
                  name.substring(0, name.length() - ".jinja".length()),
                  Files.readString(file, StandardCharsets.UTF_8));
            }
          }
        }
      }
    } catch (IOException e) {
      throw new HubException.Disk("cannot read the chat templates of " + directory + ": " + e, e);
    }
    return sources;
  }

  private static Map<String, String> named(@Nullable Object templates, String where) {
    Map<String, String> sources = new LinkedHashMap<>();
    switch (templates) {
      case null -> {}
      case String text -> sources.put(DEFAULT, text);
      case List<?> list -> {
        for (Object entry : list) {
          if (entry instanceof Map<?, ?> map
              && map.get("name") instanceof String name
              && map.get("template") instanceof String text) {
            sources.put(name, text);
          } else {
            throw malformed(where);
          }
        }
      }
      case Map<?, ?> map ->
          map.forEach(
              (name, text) -> {
                if (!(name instanceof String key) || !(text instanceof String value)) {
                  throw malformed(where);
                }
                sources.put(key, value);
              });
      default -> throw malformed(where);
    }
    return sources;
  }

  private static HubException malformed(String where) {
    return new HubException.Malformed(
        where + ": expected a text, or a list of names and texts, as chat_template");
  }

  /**
   * The text of the {@code default} template, for formats that keep one alone; empty where there is
   * none.
   */
  public Optional<String> defaultSource() {
    return Optional.ofNullable(sources.get(DEFAULT));
  }

  /**
   * The template for a conversation: {@code tool_use} for one with tools where there is one of that
   * name, else {@code default}.
   *
   * @throws ChatException when the directory had none
   */
  public ChatTemplate select(boolean tools) {
    return named(tools && sources.containsKey("tool_use") ? "tool_use" : DEFAULT);
  }

  /**
   * The template of a name.
   *
   * @throws ChatException when there is none of that name
   */
  public ChatTemplate named(String name) {
    String source = sources.get(name);
    if (source == null) {
      throw new ChatException(
          sources.isEmpty()
              ? "the model has no chat template; give it one, or prompt it with plain text"
              : "expected one of the chat templates "
                  + String.join(", ", sources.keySet().stream().sorted().toList())
                  + ", found "
                  + name);
    }
    return ChatTemplate.of(source, specialTokens);
  }
}
