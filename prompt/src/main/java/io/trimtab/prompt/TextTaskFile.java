package io.trimtab.prompt;

import io.trimtab.hub.AtomicFiles;
import io.trimtab.hub.HubException;
import io.trimtab.hub.ModelConfig;
import io.trimtab.prompt.TextTask.TooLong;
import io.trimtab.prompt.TextTask.Turns;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * What a tuned language model is for, as {@code task.json} beside its delta's files.
 *
 * @param base the name of the model that it was tuned on
 * @param task the task
 */
record TextTaskFile(String base, TextTask task) {
  private static final int FORMAT = 1;
  private static final List<String> WORDS =
      List.of("chat", "instruct", "complete", "text", "seq2seq");
  private static final JsonMapper JSON =
      JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

  void save(Path directory) {
    Path file = directory.resolve(TaskFile.NAME);
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("format", FORMAT);
    all.put("base", base);
    all.putAll(task.describe());
    try {
      Files.createDirectories(directory);
      AtomicFiles.write(file, JSON.writeValueAsString(all) + "\n");
    } catch (IOException e) {
      throw new PromptException.TaskFile("cannot write " + file + ": " + e, e);
    }
  }

  /** Whether a directory's {@code task.json} is of a language model. */
  static boolean isThere(Path directory) {
    Path file = directory.resolve(TaskFile.NAME);
    if (!Files.isRegularFile(file)) {
      return false;
    }
    try {
      return WORDS.contains(ModelConfig.read(file).text("task", ""));
    } catch (HubException e) {
      return false; // whoever reads it says what is wrong
    }
  }

  /**
   * Reads {@code task.json} of a directory.
   *
   * @throws PromptException.TaskFile if there is none, or it is damaged or of a later version
   */
  static TextTaskFile read(Path directory) {
    Path file = directory.resolve(TaskFile.NAME);
    if (!Files.isRegularFile(file)) {
      throw new PromptException.TaskFile(
          "found no %s in %s, expected a run's directory or one that a tuned model was saved to"
              .formatted(TaskFile.NAME, directory));
    }
    try {
      ModelConfig fields = ModelConfig.read(file);
      int format = fields.integer("format");
      if (format > FORMAT || !WORDS.contains(fields.text("task"))) {
        throw new PromptException.TaskFile(
            "found task \"%s\" of format %d in %s, expected %s of format %d"
                .formatted(fields.text("task"), format, file, String.join(", ", WORDS), FORMAT));
      }
      TooLong tooLong =
          TooLong.of(fields.text("too_long"))
              .orElseThrow(
                  () -> new PromptException("unknown too_long \"" + fields.text("too_long") + '"'));
      TextTask task = new TextTask(form(fields), fields.integer("max_length"), tooLong);
      return new TextTaskFile(fields.text("base"), task);
    } catch (HubException | PromptException.Syntax e) {
      throw new PromptException.TaskFile(
          "%s is damaged: %s; save the tuned model anew".formatted(file, e.getMessage()), e);
    }
  }

  private static TextTask.Form form(ModelConfig fields) {
    return switch (fields.text("task")) {
      case "chat" ->
          new TextTask.Chat(
              fields.text("turns").equals(Turns.LAST.word()) ? Turns.LAST : Turns.ALL);
      case "instruct" ->
          new TextTask.Instructions(
              fields.text("instruction"),
              fields.text("input"),
              fields.text("output"),
              fields.has("template") ? fields.text("template") : null);
      case "complete" -> new TextTask.Completions(fields.text("prompt"), fields.text("completion"));
      case "text" -> new TextTask.Texts(fields.text("text"));
      default -> new TextTask.Pairs(fields.text("source"), fields.text("target"));
    };
  }
}
