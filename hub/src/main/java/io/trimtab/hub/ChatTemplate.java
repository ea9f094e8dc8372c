package io.trimtab.hub;

import io.trimtab.jinja.JinjaException;
import io.trimtab.jinja.JinjaFunction;
import io.trimtab.jinja.Limits;
import io.trimtab.jinja.Rendering;
import io.trimtab.jinja.Template;
import java.time.Clock;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Turns conversations into prompts by a model's own template, as the {@code apply_chat_template} of
 * Hugging Face transformers does. Immutable; any number of threads may render at once.
 *
 * <p>Templates come from strangers: they run in {@link io.trimtab.jinja}, which reaches nothing but
 * what it is given and keeps to limits of time and memory.
 */
public final class ChatTemplate {
  private static final List<String> REASONING =
      List.of("reasoning_content", "thinking", "reasoning");

  /**
   * Marks in the last message where the prompt is to end. Its blank shows whether it was trimmed.
   */
  private static final String TAG = "CONTINUE_FINAL_MESSAGE_TAG ";

  private static final int MAX_FORMAT = 1000;

  private final String source;
  private final Template template;
  private final Map<String, String> specialTokens;
  private final Clock clock;

  private ChatTemplate(
      String source, Template template, Map<String, String> specialTokens, Clock clock) {
    this.source = source;
    this.template = template;
    this.specialTokens = specialTokens;
    this.clock = clock;
  }

  /**
   * A template from its text.
   *
   * @param specialTokens the variables {@code bos_token}, {@code eos_token} and so on
   * @throws JinjaException.Syntax when it is not in the language
   */
  public static ChatTemplate of(String source, Map<String, String> specialTokens) {
    return of(source, specialTokens, Limits.DEFAULT);
  }

  /** A template from its text, under limits of the caller's choice. */
  public static ChatTemplate of(String source, Map<String, String> specialTokens, Limits limits) {
    return new ChatTemplate(
        source,
        Template.parse(source, limits),
        Map.copyOf(specialTokens),
        Clock.system(ZoneId.systemDefault()));
  }

  /** The same with another clock, which the template's {@code strftime_now} reads. */
  public ChatTemplate withClock(Clock other) {
    return new ChatTemplate(source, template, specialTokens, other);
  }

  /** The template's text. */
  public String source() {
    return source;
  }

  /**
   * The prompt for a conversation.
   *
   * @throws ChatException when the conversation is empty, or its last message cannot be continued
   * @throws JinjaException when the template fails or refuses the conversation
   */
  public String render(ChatInput chat) {
    return rendering(chat).text();
  }

  /**
   * As {@link #render}, with the parts that the template marks as the assistant's own. A rendering
   * that is to be continued has none.
   */
  public Rendering rendering(ChatInput chat) {
    if (chat.messages().isEmpty()) {
      throw new ChatException(
          "expected at least one message, found an empty conversation; add one");
    }
    List<Map<String, @Nullable Object>> messages = new ArrayList<>();
    chat.messages().forEach(message -> messages.add(normal(message)));
    String field = chat.continueField();
    String continued = field == null ? null : markLast(messages, field, chat);
    Map<String, @Nullable Object> variables = new LinkedHashMap<>(specialTokens);
    variables.putAll(chat.variables());
    variables.put("messages", messages);
    variables.put("tools", chat.tools());
    variables.put("documents", chat.documents());
    variables.put("add_generation_prompt", chat.addGenerationPrompt());
    variables.put("raise_exception", (JinjaFunction) ChatTemplate::raise);
    variables.put("strftime_now", (JinjaFunction) this::now);
    Rendering rendering = template.rendering(variables);
    return continued == null
        ? rendering
        : new Rendering(upToMark(rendering.text(), continued), List.of());
  }

  /** A copy without fields that are null, and with the reasoning under all of its names. */
  private static Map<String, @Nullable Object> normal(
      Map<String, ? extends @Nullable Object> message) {
    Object reasoning =
        REASONING.stream().map(message::get).filter(Objects::nonNull).findFirst().orElse(null);
    Map<String, @Nullable Object> out = new LinkedHashMap<>();
    if (reasoning != null) {
      out.put("thinking", reasoning);
    }
    message.forEach(
        (name, value) -> {
          if (value != null) {
            out.put(name, value);
          }
        });
    if (reasoning != null) {
      out.put("reasoning_content", reasoning);
    }
    return out;
  }

  /** Puts the mark behind the text that is to be continued, and gives that text. */
  private String markLast(
      List<Map<String, @Nullable Object>> messages, String field, ChatInput chat) {
    if (chat.addGenerationPrompt()) {
      throw new ChatException(
          "expected a generation prompt or a message to continue, found both; choose one");
    }
    Map<String, @Nullable Object> last = messages.getLast();
    Object value = last.get(field);
    List<String> fields = List.of(field);
    if (REASONING.contains(field)) {
      fields = REASONING.stream().filter(name -> Objects.equals(last.get(name), value)).toList();
    }
    if (value == null) {
      throw new ChatException(
          "expected a last message with "
              + field
              + " to continue, found one with "
              + String.join(", ", last.keySet()));
    }
    if (fields.stream().noneMatch(source::contains)) {
      throw new ChatException(
          "expected a template that reads "
              + field
              + ", found one that does not; continue another field");
    }
    if (value instanceof String text) {
      fields.forEach(name -> last.put(name, text + TAG));
      return text;
    }
    if (value instanceof List<?> parts) {
      List<@Nullable Object> copy = new ArrayList<>(parts);
      for (int i = copy.size() - 1; i >= 0; i--) {
        if (copy.get(i) instanceof Map<?, ?> part && part.get("text") instanceof String text) {
          Map<Object, @Nullable Object> marked = new LinkedHashMap<>(part);
          marked.put("text", text + TAG);
          copy.set(i, marked);
          last.put(field, copy);
          return text;
        }
      }
    }
    throw new ChatException(
        "expected a text in the " + field + " of the last message to continue, found none");
  }

  private static String upToMark(String rendered, String continued) {
    int mark = rendered.lastIndexOf(TAG.strip());
    if (mark < 0 || !rendered.contains(continued.strip())) {
      throw new ChatException(
          "expected the last message in the prompt to continue it there, but the template leaves"
              + " out parts of it; take another template, or continue no message");
    }
    String text = rendered.substring(0, mark);
    return rendered.startsWith(TAG, mark) ? text : text.stripTrailing();
  }

  private static Object raise(
      List<@Nullable Object> arguments, Map<String, @Nullable Object> named) {
    Object message = arguments.isEmpty() ? named.get("message") : arguments.getFirst();
    throw new JinjaException.Raised(String.valueOf(message));
  }

  private Object now(List<@Nullable Object> arguments, Map<String, @Nullable Object> named) {
    Object format = arguments.isEmpty() ? named.get("format") : arguments.getFirst();
    if (!(format instanceof String pattern) || pattern.length() > MAX_FORMAT) {
      throw new JinjaException.Raised(
          "expected a text of at most " + MAX_FORMAT + " characters as the format of strftime_now");
    }
    return Strftime.format(pattern, LocalDateTime.now(clock));
  }
}
