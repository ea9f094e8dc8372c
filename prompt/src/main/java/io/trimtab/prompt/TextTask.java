package io.trimtab.prompt;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What a language model is to learn to write, by the form of its data. Immutable.
 *
 * <pre>{@code
 * TextTask.chat().turns(TextTask.Turns.LAST).maxLength(512)
 * TextTask.instructions("question", "", "answer")
 * TextTask.pairs("source", "target")
 * }</pre>
 *
 * @param form the form of the data
 * @param maxLength tokens of the longest example; of an encoder-decoder, of its source and of its
 *     target each
 * @param tooLong what becomes of longer ones
 */
public record TextTask(Form form, int maxLength, TooLong tooLong) {
  /** The longest example where nothing else is said. */
  public static final int USUAL_LENGTH = 1024;

  /** The column of {@link Instructions} that need not be there. */
  static final String INPUT = "input";

  /** The forms of data. */
  public sealed interface Form permits Chat, Instructions, Completions, Texts, Pairs {
    /** The word of commands and files. */
    String word();
  }

  /**
   * Conversations in the model's own chat template, of which the assistant's turns are learnt.
   *
   * @param turns which of them
   */
  public record Chat(Turns turns) implements Form {
    @Override
    public String word() {
      return "chat";
    }
  }

  /**
   * Tables of what is to be done and what is right, of which the latter is learnt.
   *
   * @param instruction the column that says what is to be done
   * @param input the column of what it is to be done to; the table need not have one called "input"
   * @param output the column of what is right
   * @param template what the first two are put into, as {@code {instruction}} and {@code {input}};
   *     null for the model's chat template, or a plain one where it has none
   */
  public record Instructions(
      String instruction, String input, String output, @Nullable String template) implements Form {
    /** Checks that the template has a place for what is to be done. */
    public Instructions {
      if (template != null && !template.contains("{instruction}")) {
        throw new PromptException.Syntax(
            "found the template \"%s\", expected {instruction} in it, and {input} where that goes"
                .formatted(template));
      }
    }

    @Override
    public String word() {
      return "instruct";
    }
  }

  /**
   * Tables of beginnings and of what comes after them, of which the latter is learnt.
   *
   * @param prompt the column of beginnings
   * @param completion the column of what comes after them
   */
  public record Completions(String prompt, String completion) implements Form {
    @Override
    public String word() {
      return "complete";
    }
  }

  /**
   * Texts that are learnt whole: a column of a table, or all of a {@code .txt} file. Those that are
   * too long become several examples, and nothing of them is lost.
   *
   * @param text the column
   */
  public record Texts(String text) implements Form {
    @Override
    public String word() {
      return "text";
    }
  }

  /**
   * Tables of what an encoder reads and what its decoder is to write.
   *
   * @param source the column of what is read
   * @param target the column of what is to be written
   */
  public record Pairs(String source, String target) implements Form {
    @Override
    public String word() {
      return "seq2seq";
    }
  }

  /** Which of an assistant's turns are learnt. */
  public enum Turns {
    /** Every one. */
    ALL,
    /** The last one of each conversation. */
    LAST;

    /** The word of commands and files. */
    public String word() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** What becomes of an example that is too long. */
  public enum TooLong {
    /** It loses its end. */
    CUT_END,
    /** It loses its beginning. */
    CUT_START,
    /** It is left out. */
    LEAVE_OUT,
    /** It is an error. */
    FAIL;

    /** The word of commands and files. */
    public String word() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** The choice of such a word; empty where there is none. */
    public static Optional<TooLong> of(String word) {
      for (TooLong each : values()) {
        if (each.word().equals(word)) {
          return Optional.of(each);
        }
      }
      return Optional.empty();
    }
  }

  /** Checks the length. */
  public TextTask {
    if (maxLength < 2) {
      throw new PromptException(
          "found a longest example of %d tokens, expected at least 2; 1024 is usual"
              .formatted(maxLength));
    }
  }

  private static TextTask of(Form form) {
    return new TextTask(form, USUAL_LENGTH, TooLong.CUT_END);
  }

  /** Conversations of which all turns of the assistant are learnt. */
  public static TextTask chat() {
    return of(new Chat(Turns.ALL));
  }

  /** Tables with the columns "instruction", "output" and, where there is one, "input". */
  public static TextTask instructions() {
    return instructions("instruction", INPUT, "output");
  }

  /** Tables with these columns. */
  public static TextTask instructions(String instruction, String input, String output) {
    return of(new Instructions(instruction, input, output, null));
  }

  /** Tables with the columns "prompt" and "completion". */
  public static TextTask completions() {
    return completions("prompt", "completion");
  }

  /** Tables with these columns. */
  public static TextTask completions(String prompt, String completion) {
    return of(new Completions(prompt, completion));
  }

  /** Tables with a column "text", or plain text files. */
  public static TextTask texts() {
    return texts("text");
  }

  /** Tables with such a column, or plain text files. */
  public static TextTask texts(String column) {
    return of(new Texts(column));
  }

  /** Tables with the columns "source" and "target", for an encoder-decoder. */
  public static TextTask pairs() {
    return pairs("source", "target");
  }

  /** Tables with these columns, for an encoder-decoder. */
  public static TextTask pairs(String source, String target) {
    return of(new Pairs(source, target));
  }

  /** The same with examples of at most so many tokens. */
  public TextTask maxLength(int tokens) {
    return new TextTask(form, tokens, tooLong);
  }

  /** The same with longer ones treated so. */
  public TextTask tooLong(TooLong what) {
    return new TextTask(form, maxLength, what);
  }

  /**
   * The same with these turns of an assistant learnt.
   *
   * @throws PromptException where the task is no chat
   */
  public TextTask turns(Turns which) {
    if (!(form instanceof Chat)) {
      throw new PromptException(
          "found turns to be chosen of the task \"%s\", expected a chat".formatted(form.word()));
    }
    return new TextTask(new Chat(which), maxLength, tooLong);
  }

  /**
   * The same with instructions put into this text instead of the model's chat template.
   *
   * @throws PromptException where the task has no instructions
   */
  public TextTask template(String text) {
    if (!(form instanceof Instructions old)) {
      throw new PromptException(
          "found a template for the task \"%s\", expected instructions".formatted(form.word()));
    }
    return new TextTask(
        new Instructions(old.instruction(), old.input(), old.output(), text), maxLength, tooLong);
  }

  /** What files record of it. */
  Map<String, Object> describe() {
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("task", form.word());
    switch (form) {
      case Chat chat -> all.put("turns", chat.turns().word());
      case Instructions own -> {
        all.put("instruction", own.instruction());
        all.put("input", own.input());
        all.put("output", own.output());
        if (own.template() != null) {
          all.put("template", own.template());
        }
      }
      case Completions own -> {
        all.put("prompt", own.prompt());
        all.put("completion", own.completion());
      }
      case Texts own -> all.put("text", own.text());
      case Pairs own -> {
        all.put("source", own.source());
        all.put("target", own.target());
      }
    }
    all.put("max_length", maxLength);
    all.put("too_long", tooLong.word());
    return all;
  }
}
