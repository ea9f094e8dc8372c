package io.trimtab.prompt;

import io.trimtab.train.Conversation;
import io.trimtab.train.DataException;
import io.trimtab.train.Table;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * Examples of what a language model is to learn, and what errors call them.
 *
 * @param source what errors call them, for instance the file's name
 * @param examples in the file's order
 */
public record TextData(String source, List<TextExample> examples) {
  /** Nothing. */
  static final TextData NONE = new TextData("", List.of());

  /** Copies the list. */
  public TextData {
    examples = List.copyOf(examples);
  }

  /** Conversations that come from no file. */
  public static TextData of(List<Conversation> conversations) {
    return new TextData(
        "conversations",
        conversations.stream().map(each -> (TextExample) new TextExample.Chat(each)).toList());
  }

  /**
   * Reads a file in the form that a task has: JSONL for conversations, {@code .txt} or a table for
   * texts, else a table.
   *
   * @throws DataException if it is not there, empty, malformed or lacks a column
   */
  public static TextData read(Path file, TextTask task) {
    String name = String.valueOf(file.getFileName());
    if (task.form() instanceof TextTask.Chat) {
      List<TextExample> all = new ArrayList<>();
      Conversation.read(file).forEach(each -> all.add(new TextExample.Chat(each)));
      return new TextData(name, all);
    }
    if (task.form() instanceof TextTask.Texts && name.endsWith(".txt")) {
      return new TextData(name, List.of(new TextExample.Plain(whole(file), 1)));
    }
    return of(Table.read(file), task);
  }

  /**
   * The rows of a table in the form that a task has.
   *
   * @throws DataException if it lacks a column, or the task's form is no table
   */
  public static TextData of(Table table, TextTask task) {
    List<TextExample> all = new ArrayList<>();
    switch (task.form()) {
      case TextTask.Chat _ ->
          throw new DataException(
              "found the table " + table.name() + " for a chat, expected a file of conversations");
      case TextTask.Instructions own -> {
        List<String> instructions = table.column(own.instruction());
        boolean without =
            own.input().isEmpty()
                || (own.input().equals(TextTask.INPUT) && !table.has(TextTask.INPUT));
        List<String> inputs =
            without ? Collections.nCopies(table.rowCount(), "") : table.column(own.input());
        List<String> outputs = table.column(own.output());
        for (int i = 0; i < table.rowCount(); i++) {
          all.add(
              new TextExample.Instruction(
                  instructions.get(i), inputs.get(i), outputs.get(i), table.line(i)));
        }
      }
      case TextTask.Completions own -> addPairs(table, own.prompt(), own.completion(), all);
      case TextTask.Pairs own -> addPairs(table, own.source(), own.target(), all);
      case TextTask.Texts own -> {
        List<String> texts = table.column(own.text());
        for (int i = 0; i < table.rowCount(); i++) {
          all.add(new TextExample.Plain(texts.get(i), table.line(i)));
        }
      }
    }
    return new TextData(table.name(), all);
  }

  private static void addPairs(Table table, String first, String second, List<TextExample> into) {
    List<String> prompts = table.column(first);
    List<String> completions = table.column(second);
    for (int i = 0; i < table.rowCount(); i++) {
      into.add(new TextExample.Pair(prompts.get(i), completions.get(i), table.line(i)));
    }
  }

  private static String whole(Path file) {
    try {
      String text = Files.readString(file, StandardCharsets.UTF_8);
      if (text.isBlank()) {
        throw new DataException("%s is empty; expected some text".formatted(file));
      }
      return text;
    } catch (NoSuchFileException e) {
      throw new DataException("%s is not there; check the path".formatted(file), e);
    } catch (CharacterCodingException e) {
      throw new DataException("%s is not UTF-8; convert it".formatted(file), e);
    } catch (IOException e) {
      throw new DataException("%s cannot be read: %s".formatted(file, e.getMessage()), e);
    }
  }
}
