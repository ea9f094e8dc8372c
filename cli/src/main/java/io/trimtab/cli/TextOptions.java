package io.trimtab.cli;

import io.trimtab.hub.ChatTemplates;
import io.trimtab.hub.ModelDirectory;
import io.trimtab.prompt.TextTask;
import io.trimtab.prompt.TextTask.TooLong;
import io.trimtab.prompt.TextTask.Turns;
import io.trimtab.train.Table;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** What a language model is to learn to write. */
final class TextOptions {
  private static final String CLASSIFY = "classify";
  private static final List<String> TASKS =
      List.of(CLASSIFY, "chat", "instruct", "complete", "text", "seq2seq");

  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec;

  @Option(
      names = "--task",
      paramLabel = "TASK",
      description =
          "classify, chat, instruct, complete, text or seq2seq (default: what the data's columns"
              + " say).")
  private @Nullable String task;

  @Option(
      names = "--columns",
      paramLabel = "NAME=COLUMN",
      split = ",",
      description =
          "Columns by what they are: instruction, input, output; prompt, completion; source, target"
              + " (default: these names).")
  private Map<String, String> columns = new LinkedHashMap<>();

  @Option(
      names = "--turns",
      paramLabel = "WHICH",
      description = "chat: the assistant's turns to learn, all or last (default: all).")
  private @Nullable String turns;

  @Option(
      names = "--too-long",
      paramLabel = "WHAT",
      description =
          "What becomes of examples of more than --max-length tokens: cut-end, cut-start, leave-out"
              + " or fail (default: cut-end).")
  private @Nullable String tooLong;

  @Option(
      names = "--chat-template",
      paramLabel = "FILE",
      description = "A chat template in Jinja instead of the model's own.")
  private @Nullable Path chatTemplate;

  @Option(
      names = "--answers",
      paramLabel = "N",
      description =
          "Also have the model answer N test examples and compare what it writes (default: none).")
  private @Nullable Integer answers;

  private CommandLine.ParameterException wrong(String message) {
    return new CommandLine.ParameterException(spec.commandLine(), message);
  }

  int answers() {
    int count = answers == null ? 0 : answers;
    if (count < 0) {
      throw wrong("found --answers " + count + ", expected 0 or more");
    }
    return count;
  }

  /**
   * The task that the options or, where they say nothing, the data name; empty for one that
   * classifies.
   *
   * @param data a file of examples, or null where there is none
   */
  Optional<TextTask> task(@Nullable Path data, TaskOptions shared, ColumnOptions labelled) {
    String word = task == null ? guess(data, shared) : task.toLowerCase(Locale.ROOT);
    if (!TASKS.contains(word)) {
      throw wrong("found --task " + task + ", expected " + String.join(", ", TASKS));
    }
    refuseIdle(word, shared);
    if (word.equals(CLASSIFY)) {
      return Optional.empty();
    }
    TextTask chosen =
        switch (word) {
          case "chat" -> TextTask.chat().turns(chosenTurns());
          case "instruct" -> {
            TextTask plain =
                TextTask.instructions(column("instruction"), column("input"), column("output"));
            yield shared.template() == null ? plain : plain.template(shared.template());
          }
          case "complete" -> TextTask.completions(column("prompt"), column("completion"));
          case "text" -> TextTask.texts(labelled.text());
          default -> TextTask.pairs(column("source"), column("target"));
        };
    return Optional.of(
        chosen.maxLength(shared.maxLength(TextTask.USUAL_LENGTH)).tooLong(chosenTooLong()));
  }

  private String column(String name) {
    return columns.getOrDefault(name, name);
  }

  private Turns chosenTurns() {
    return switch (turns == null ? "all" : turns.toLowerCase(Locale.ROOT)) {
      case "all" -> Turns.ALL;
      case "last" -> Turns.LAST;
      default -> throw wrong("found --turns " + turns + ", expected all or last");
    };
  }

  private TooLong chosenTooLong() {
    String word = tooLong == null ? TooLong.CUT_END.word() : tooLong;
    return TooLong.of(word)
        .orElseThrow(
            () ->
                wrong(
                    "found --too-long "
                        + word
                        + ", expected "
                        + String.join(
                            ", ", Arrays.stream(TooLong.values()).map(TooLong::word).toList())));
  }

  /** Refuses options that would do nothing with the task. */
  private void refuseIdle(String word, TaskOptions shared) {
    Map<String, List<String>> known =
        Map.of(
            "instruct", List.of("instruction", "input", "output"),
            "complete", List.of("prompt", "completion"),
            "seq2seq", List.of("source", "target"));
    for (String name : columns.keySet()) {
      if (!known.getOrDefault(word, List.of()).contains(name)) {
        throw wrong(
            "found --columns %s=… for the task %s, expected %s"
                .formatted(
                    name,
                    word,
                    known.containsKey(word)
                        ? String.join(", ", known.getOrDefault(word, List.of()))
                        : "none; --text names the column of texts"));
      }
    }
    boolean chats = word.equals("chat") || word.equals("instruct");
    refuse(turns != null && !word.equals("chat"), "--turns", word);
    refuse(chatTemplate != null && !chats, "--chat-template", word);
    refuse(tooLong != null && word.equals(CLASSIFY), "--too-long", word);
    refuse(answers != null && (word.equals(CLASSIFY) || word.equals("text")), "--answers", word);
    refuse(shared.verbalizer() && !word.equals(CLASSIFY), "--verbalizer", word);
    refuse(
        shared.template() != null && !word.equals(CLASSIFY) && !word.equals("instruct"),
        "--template",
        word);
  }

  private void refuse(boolean given, String option, String word) {
    if (given) {
      throw wrong(
          "found %s for the task %s, expected it left out: it has no use for it"
              .formatted(option, word));
    }
  }

  /** What the first lines of the data look like. */
  private String guess(@Nullable Path data, TaskOptions shared) {
    if (shared.verbalizer() || data == null || !Files.isRegularFile(data)) {
      return CLASSIFY;
    }
    String name = data.toString().toLowerCase(Locale.ROOT);
    if (name.endsWith(".txt")) {
      return "text";
    }
    if (name.endsWith(".jsonl") && firstLine(data).contains("\"messages\"")) {
      return "chat";
    }
    Table table = Table.read(data);
    if (table.has(column("instruction")) && table.has(column("output"))) {
      return "instruct";
    }
    if (table.has(column("prompt")) && table.has(column("completion"))) {
      return "complete";
    }
    if (table.has(column("source")) && table.has(column("target"))) {
      return "seq2seq";
    }
    return CLASSIFY;
  }

  private static String firstLine(Path file) {
    try (BufferedReader lines = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
      String line = lines.readLine();
      while (line != null && line.isBlank()) {
        line = lines.readLine();
      }
      return line == null ? "" : line;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The chat templates of a model, or the one that was given. */
  ChatTemplates templates(ModelDirectory files) {
    ChatTemplates own = files.chatTemplates();
    if (chatTemplate == null) {
      return own;
    }
    try {
      String source = Files.readString(chatTemplate, StandardCharsets.UTF_8);
      return new ChatTemplates(Map.of("default", source), own.specialTokens());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
