package io.trimtab.prompt;

import io.trimtab.tensor.TrimtabException;

/** A template, a verbalizer or a task that cannot be used as asked. */
public class PromptException extends TrimtabException {
  private static final long serialVersionUID = 1L;

  /** An error with a complete, self-explaining message. */
  public PromptException(String message) {
    super(message);
  }

  /** An error with a complete, self-explaining message and the fault below it. */
  public PromptException(String message, Throwable cause) {
    super(message, cause);
  }

  /** A template or a verbalizer that breaks the rules of its language. */
  public static final class Syntax extends PromptException {
    private static final long serialVersionUID = 1L;

    /** An error with a complete, self-explaining message. */
    public Syntax(String message) {
      super(message);
    }

    /** An error with a complete, self-explaining message and the fault below it. */
    public Syntax(String message, Throwable cause) {
      super(message, cause);
    }
  }

  /** A label word that is not one token of the model's vocabulary, or stands for two labels. */
  public static final class LabelWord extends PromptException {
    private static final long serialVersionUID = 1L;

    /** An error with a complete, self-explaining message. */
    public LabelWord(String message) {
      super(message);
    }
  }

  /** A template that leaves no room within the longest prompt allowed. */
  public static final class TooLong extends PromptException {
    private static final long serialVersionUID = 1L;

    /** An error with a complete, self-explaining message. */
    public TooLong(String message) {
      super(message);
    }
  }

  /** A conversation that a chat template refuses, or does not show the answers of. */
  public static final class Conversation extends PromptException {
    private static final long serialVersionUID = 1L;

    /** An error with a complete, self-explaining message. */
    public Conversation(String message) {
      super(message);
    }

    /** An error with a complete, self-explaining message and the fault below it. */
    public Conversation(String message, Throwable cause) {
      super(message, cause);
    }
  }

  /** A saved task that is missing, damaged or of a later version. */
  public static final class TaskFile extends PromptException {
    private static final long serialVersionUID = 1L;

    /** An error with a complete, self-explaining message. */
    public TaskFile(String message) {
      super(message);
    }

    /** An error with a complete, self-explaining message and the fault below it. */
    public TaskFile(String message, Throwable cause) {
      super(message, cause);
    }
  }
}
