package io.trimtab.train;

import java.nio.file.Path;
import java.util.Locale;

/** The forms of table files, told apart by their extension. */
enum TableFormat {
  CSV,
  TSV,
  JSONL;

  /**
   * The form of a file.
   *
   * @param purpose "read" or "write", for the error
   * @throws DataException if the extension is none of ours
   */
  static TableFormat of(Path file, String purpose) {
    String name = String.valueOf(file.getFileName()).toLowerCase(Locale.ROOT);
    for (TableFormat format : values()) {
      if (name.endsWith("." + format.name().toLowerCase(Locale.ROOT))) {
        return format;
      }
    }
    throw new DataException(
        "cannot %s %s: the extension tells the form; expected .csv, .tsv or .jsonl"
            .formatted(purpose, file));
  }
}
