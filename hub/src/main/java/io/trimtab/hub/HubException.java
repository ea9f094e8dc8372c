package io.trimtab.hub;

import io.trimtab.tensor.TrimtabException;

/**
 * Why a model could not be found, fetched, verified or understood. The subclasses say which of
 * these it was, so that a caller can act on it.
 */
public class HubException extends TrimtabException {
  private static final long serialVersionUID = 1L;

  /** An error with a complete, self-explaining message. */
  public HubException(String message) {
    super(message);
  }

  /** An error with a complete, self-explaining message and the fault below it. */
  public HubException(String message, Throwable cause) {
    super(message, cause);
  }

  /** The name, the repository, the file or the artifact does not exist. */
  public static final class NotFound extends HubException {
    private static final long serialVersionUID = 1L;

    /** An error with a complete, self-explaining message. */
    public NotFound(String message) {
      super(message);
    }

    /** An error with a complete, self-explaining message and the fault below it. */
    public NotFound(String message, Throwable cause) {
      super(message, cause);
    }
  }

  /** The network was needed, but is switched off or does not answer. */
  public static final class Offline extends HubException {
    private static final long serialVersionUID = 1L;

    /** An error with a complete, self-explaining message. */
    public Offline(String message) {
      super(message);
    }

    /** An error with a complete, self-explaining message and the fault below it. */
    public Offline(String message, Throwable cause) {
      super(message, cause);
    }
  }

  /** The server answered that this user may not have the file. */
  public static final class Refused extends HubException {
    private static final long serialVersionUID = 1L;

    /** An error with a complete, self-explaining message. */
    public Refused(String message) {
      super(message);
    }
  }

  /** The transfer failed again and again: dropped connections, or errors of the server. */
  public static final class Interrupted extends HubException {
    private static final long serialVersionUID = 1L;

    /** An error with a complete, self-explaining message. */
    public Interrupted(String message) {
      super(message);
    }

    /** An error with a complete, self-explaining message and the fault below it. */
    public Interrupted(String message, Throwable cause) {
      super(message, cause);
    }
  }

  /** What arrived, or what lies on the disk, is not what its hash or its length promised. */
  public static final class Corrupt extends HubException {
    private static final long serialVersionUID = 1L;

    /** An error with a complete, self-explaining message. */
    public Corrupt(String message) {
      super(message);
    }
  }

  /** The files are there, but in a form that Trimtab does not read. */
  public static final class Unsupported extends HubException {
    private static final long serialVersionUID = 1L;

    /** An error with a complete, self-explaining message. */
    public Unsupported(String message) {
      super(message);
    }
  }

  /** A configuration or tokenizer file is malformed, or lacks a field. */
  public static final class Malformed extends HubException {
    private static final long serialVersionUID = 1L;

    /** An error with a complete, self-explaining message. */
    public Malformed(String message) {
      super(message);
    }

    /** An error with a complete, self-explaining message and the fault below it. */
    public Malformed(String message, Throwable cause) {
      super(message, cause);
    }
  }

  /** A program of the user's that a source needs ({@code pip}) is missing or failed. */
  public static final class ToolFailed extends HubException {
    private static final long serialVersionUID = 1L;

    /** An error with a complete, self-explaining message. */
    public ToolFailed(String message) {
      super(message);
    }

    /** An error with a complete, self-explaining message and the fault below it. */
    public ToolFailed(String message, Throwable cause) {
      super(message, cause);
    }
  }

  /** The local disk refused to be read or written. */
  public static final class Disk extends HubException {
    private static final long serialVersionUID = 1L;

    /** An error with a complete, self-explaining message and the fault below it. */
    public Disk(String message, Throwable cause) {
      super(message, cause);
    }
  }
}
