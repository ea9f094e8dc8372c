package io.trimtab.hub;

import io.trimtab.tensor.TrimtabException;
import java.nio.file.Path;

/**
 * A model file cannot be read as, or written as, what it should be: it is damaged, cut off, of
 * another format, contradicts itself, uses a part of the format that is not supported, or the disk
 * refuses.
 */
public class FileFormatException extends TrimtabException {
  private static final long serialVersionUID = 1L;

  /** An error with a complete, self-explaining message. */
  public FileFormatException(String message) {
    super(oneLine(message));
  }

  /** An error about one file, which the message then starts with. */
  public FileFormatException(Path file, String message) {
    super(oneLine(file + ": " + message));
  }

  /** An error about one file, which the message then starts with, and the fault below it. */
  public FileFormatException(Path file, String message, Throwable cause) {
    super(oneLine(file + ": " + message), cause);
  }

  /** Names come out of files, and a damaged one must not tear the message apart. */
  private static String oneLine(String message) {
    return message.replaceAll("\\p{Cntrl}", "?");
  }
}
