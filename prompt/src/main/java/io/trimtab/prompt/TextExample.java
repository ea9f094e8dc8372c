package io.trimtab.prompt;

import io.trimtab.train.Conversation;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** One example of what a language model is to learn, before it is tokens. */
public sealed interface TextExample {
  /** The line of the file that it is from, from 1; 0 if it comes from no file. */
  int line();

  /** What a reader sees as the question; empty where all of a text is learnt. */
  String question();

  /** A conversation. */
  record Chat(Conversation conversation) implements TextExample {
    @Override
    public int line() {
      return conversation.line();
    }

    /** What was said last before the assistant's last turn. */
    @Override
    public String question() {
      int at = conversation.messages().size() - 1;
      while (at > 0 && !conversation.isAssistants(at)) {
        at--;
      }
      Map<String, @Nullable Object> before = conversation.messages().get(Math.max(0, at - 1));
      return at == 0 ? "" : String.valueOf(before.get("content"));
    }
  }

  /**
   * An instruction.
   *
   * @param instruction what is to be done
   * @param input what it is to be done to; may be blank
   * @param output what is right
   */
  record Instruction(String instruction, String input, String output, int line)
      implements TextExample {
    @Override
    public String question() {
      return input.isBlank() ? instruction : instruction + "\n\n" + input;
    }
  }

  /**
   * A beginning and what comes after it, or what is read and what is to be written of it.
   *
   * @param prompt what is given
   * @param completion what is learnt
   */
  record Pair(String prompt, String completion, int line) implements TextExample {
    @Override
    public String question() {
      return prompt;
    }
  }

  /** A text that is learnt whole. */
  record Plain(String text, int line) implements TextExample {
    @Override
    public String question() {
      return "";
    }
  }
}
