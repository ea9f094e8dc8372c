package io.trimtab.cli;

import picocli.CommandLine.Option;

/** Which columns of a table hold texts and labels. */
final class ColumnOptions {
  @Option(
      names = "--text",
      paramLabel = "COLUMN",
      defaultValue = "text",
      description = "The column of texts (default: ${DEFAULT-VALUE}).")
  private String text;

  @Option(
      names = "--label",
      paramLabel = "COLUMN",
      defaultValue = "label",
      description = "The column of labels (default: ${DEFAULT-VALUE}).")
  private String label;

  String text() {
    return text;
  }

  String label() {
    return label;
  }
}
