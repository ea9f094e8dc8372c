package io.trimtab.hub;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a {@link ChatTemplate} makes a prompt of.
 *
 * @param messages maps with {@code role}, {@code content} (a text, or a list of parts such as
 *     {@code {"type": "text", "text": …}}) and whatever else the model's template reads: {@code
 *     tool_calls}, {@code reasoning_content}, {@code name}
 * @param tools JSON schemas of functions, or null for none
 * @param documents maps, usually with {@code title} and {@code text}, or null for none
 * @param addGenerationPrompt whether the prompt ends where the model's answer begins
 * @param continueField the field of the last message that the model is to go on with, usually
 *     {@code content}, or null
 * @param variables what else the template is told, such as {@code enable_thinking}; they hide
 *     special tokens of the same name
 */
public record ChatInput(
    List<? extends Map<String, ? extends @Nullable Object>> messages,
    @Nullable List<? extends Map<String, ? extends @Nullable Object>> tools,
    @Nullable List<? extends Map<String, ? extends @Nullable Object>> documents,
    boolean addGenerationPrompt,
    @Nullable String continueField,
    Map<String, ? extends @Nullable Object> variables) {

  /** Copies the lists. */
  public ChatInput {
    messages = List.copyOf(messages);
    tools = tools == null ? null : List.copyOf(tools);
    documents = documents == null ? null : List.copyOf(documents);
    variables = Collections.unmodifiableMap(new LinkedHashMap<>(variables));
  }

  /** A conversation that the model is to answer. */
  public static ChatInput of(List<? extends Map<String, ? extends @Nullable Object>> messages) {
    return new ChatInput(messages, null, null, true, null, Map.of());
  }

  /** The same with these tools. */
  public ChatInput withTools(
      @Nullable List<? extends Map<String, ? extends @Nullable Object>> schemas) {
    return new ChatInput(
        messages, schemas, documents, addGenerationPrompt, continueField, variables);
  }

  /** The same with these documents. */
  public ChatInput withDocuments(
      @Nullable List<? extends Map<String, ? extends @Nullable Object>> texts) {
    return new ChatInput(messages, tools, texts, addGenerationPrompt, continueField, variables);
  }

  /** The same with or without the beginning of an answer. */
  public ChatInput withGenerationPrompt(boolean add) {
    return new ChatInput(messages, tools, documents, add, continueField, variables);
  }

  /** The same, ending within this field of the last message; no new answer is begun. */
  public ChatInput continuing(String field) {
    return new ChatInput(messages, tools, documents, false, field, variables);
  }

  /** The same with these variables in place of those before. */
  public ChatInput withVariables(Map<String, ? extends @Nullable Object> others) {
    return new ChatInput(messages, tools, documents, addGenerationPrompt, continueField, others);
  }
}
