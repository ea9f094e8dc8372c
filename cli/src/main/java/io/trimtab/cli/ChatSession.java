package io.trimtab.cli;

import io.trimtab.delta.Delta;
import io.trimtab.hub.ChatException;
import io.trimtab.hub.ChatHistory;
import io.trimtab.hub.ChatTemplate;
import io.trimtab.model.LanguageModel;
import io.trimtab.model.Model;
import io.trimtab.model.generate.Chat;
import io.trimtab.model.generate.GenerateOptions;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/** A conversation at work: what is said, and the commands that begin with a slash. */
final class ChatSession implements AutoCloseable {
  private static final String HELP =
      """
      /system TEXT     tell the model TEXT before all else; nothing without TEXT
      /reset           forget what was said
      /undo            take the last turn back
      /retry           answer the last message anew, with the next seed
      /save FILE       write the conversation as a line of JSON
      /load FILE       go on with a conversation that was saved
      /adapter DELTA   put another delta on the model; none takes it off
      /set NAME=VALUE  change a setting, such as temperature=0.7; shows all without one
      /stats           how long the conversation is, and how fast the answers came
      /help            this
      /exit            end; so does the end of the input
      A message that begins with a slash is written with two of them.
      """;

  private final LanguageModel model;
  private final ChatTemplate template;
  private final BiFunction<String, Model, Delta> deltas;
  private final PrintWriter words;
  private final List<Map<String, Object>> answers = new ArrayList<>();

  private Chat chat;
  private @Nullable Delta delta;
  private @Nullable String adapter;
  private GenerateOptions options;
  private ChatHistory conversation;
  private long retries;

  /**
   * A conversation that begins.
   *
   * @param deltas loads what {@code /adapter} names
   * @param words where answers and what commands show go
   */
  ChatSession(
      LanguageModel model,
      ChatTemplate template,
      BiFunction<String, Model, Delta> deltas,
      GenerateOptions options,
      String system,
      PrintWriter words) {
    this.model = model;
    this.template = template;
    this.deltas = deltas;
    this.options = options;
    this.words = words;
    chat = Chat.of(model, template);
    conversation = ChatHistory.EMPTY.withSystem(system);
  }

  /** Takes a line: a message, which is answered, or a command. Gives whether to go on. */
  boolean take(String line) {
    String text = line.strip();
    if (!text.startsWith("/")) {
      if (!text.isEmpty()) {
        say(text);
      }
      return true;
    }
    if (text.startsWith("//")) {
      say(text.substring(1));
      return true;
    }
    String[] parts = text.split("\\s+", 2);
    String rest = parts.length > 1 ? parts[1] : "";
    switch (parts[0]) {
      case "/system" -> conversation = conversation.withSystem(rest);
      case "/reset" -> conversation = conversation.withoutTurns();
      case "/undo" -> conversation = conversation.withoutLastTurn();
      case "/retry" -> retry();
      case "/save" -> conversation.write(Path.of(needed(rest, "/save FILE")));
      case "/load" -> conversation = ChatHistory.read(Path.of(needed(rest, "/load FILE")));
      case "/adapter" -> use(needed(rest, "/adapter DELTA, or /adapter none"));
      case "/set" -> set(rest);
      case "/stats" -> stats();
      case "/help" -> words.print(HELP);
      case "/exit" -> {
        return false;
      }
      default ->
          throw new ChatException(
              "found the command " + parts[0] + ", expected one of those that /help lists");
    }
    words.flush();
    return true;
  }

  private static String needed(String rest, String usage) {
    if (rest.isEmpty()) {
      throw new ChatException("found no name behind the command, expected " + usage);
    }
    return rest;
  }

  /** Says something and shows the answer as it comes. */
  void say(String text) {
    retries = 0;
    answer(conversation.with(ChatHistory.USER, text));
  }

  private void retry() {
    ChatHistory asked = conversation.withoutLastAnswer();
    retries++;
    answer(asked);
  }

  private void answer(ChatHistory asked) {
    long start = System.nanoTime();
    Chat.Reply reply =
        chat.reply(
            asked,
            options.withSeed(options.seed() + retries),
            piece -> {
              words.print(piece);
              words.flush();
              return true;
            });
    double seconds = (System.nanoTime() - start) / 1e9;
    words.println();
    words.flush();
    conversation = reply.conversation();
    Map<String, Object> one = new LinkedHashMap<>();
    one.put("text", reply.text());
    one.put("end", reply.sequence().end().name().toLowerCase(Locale.ROOT));
    one.put("tokens", reply.sequence().logProbabilities().size());
    one.put("prompt_tokens", reply.promptTokens());
    one.put("reused_tokens", reply.reusedTokens());
    one.put("seconds", seconds);
    answers.add(one);
  }

  /** Puts a delta on the model in the place of the one that is there. */
  void use(String named) {
    Delta next = named.equals("none") ? null : deltas.apply(named, model.model());
    chat.close(); // what was computed under the one says nothing of the other
    if (delta != null) {
      delta.close();
    }
    delta = next;
    adapter = next == null ? null : named;
    chat = next == null ? Chat.of(model, template) : Chat.of(model, template, next.patches());
  }

  private void set(String assignment) {
    if (assignment.isEmpty()) {
      ChatSettings.of(options).forEach((name, value) -> words.println(name + "=" + value));
    } else {
      options = ChatSettings.changed(options, assignment);
    }
  }

  private void stats() {
    words.printf(
        Locale.ROOT,
        "%d turns, %d answers of %d tokens at %.1f tokens/s; %.1f MB are kept of what was read%n",
        conversation.turns(),
        answers.size(),
        tokens(),
        speed(),
        chat.keptBytes() / 1e6);
    if (!answers.isEmpty()) {
      Map<String, Object> last = answers.getLast();
      words.printf(
          "the last answer: %s tokens from %s, of which %s were known%n",
          last.get("tokens"), last.get("prompt_tokens"), last.get("reused_tokens"));
    }
  }

  private long tokens() {
    return (long) sum("tokens");
  }

  private double speed() {
    double seconds = sum("seconds");
    return seconds == 0 ? 0 : tokens() / seconds;
  }

  private double sum(String field) {
    return answers.stream()
        .mapToDouble(
            answer -> answer.get(field) instanceof Number number ? number.doubleValue() : 0)
        .sum();
  }

  /** What came of it. */
  Map<String, Object> result() {
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("model", model.name());
    if (adapter != null) {
      result.put("adapter", adapter);
    }
    List<Object> messages = new ArrayList<>();
    for (ChatHistory.Message message : conversation.messages()) {
      Map<String, Object> one = new LinkedHashMap<>();
      one.put("role", message.role());
      one.put("content", message.content());
      messages.add(one);
    }
    result.put("messages", messages);
    result.put("answers", answers);
    result.put("tokens", tokens());
    result.put("seconds", sum("seconds"));
    result.put("tokens_per_s", speed());
    return result;
  }

  @Override
  public void close() {
    chat.close();
    if (delta != null) {
      delta.close();
    }
  }
}
