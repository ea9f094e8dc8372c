package io.trimtab.train;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * An immutable table of text: named columns, rows in the file's order.
 *
 * <p>A file's form goes by its extension:
 *
 * <ul>
 *   <li>{@code .csv}: RFC 4180 with a header row;
 *   <li>{@code .tsv}: tabs between fields, a header row. A field in double quotes is unquoted (with
 *       its inner quotes doubled, line breaks allowed, tabs not); any other quote is plain text;
 *   <li>{@code .jsonl}: one flat JSON object a line, all with the same keys; numbers and booleans
 *       become text as they are written.
 * </ul>
 *
 * <p>Files are UTF-8, with or without a byte-order mark, with either kind of line break.
 */
public final class Table {
  private final String name;
  private final List<String> names;
  private final List<List<String>> columns;
  private final List<Integer> lines;
  private final int rowCount;

  private Table(
      String name,
      List<String> names,
      List<List<String>> columns,
      List<Integer> lines,
      int rowCount) {
    this.name = name;
    this.names = List.copyOf(names);
    this.columns = columns.stream().map(List::copyOf).toList();
    this.lines = List.copyOf(lines);
    this.rowCount = rowCount;
  }

  /**
   * Reads a file; see the class comment for the forms.
   *
   * @throws DataException if the file is missing, of unknown form, empty, malformed or not UTF-8;
   *     if the header has a blank or repeated name; if a row has more or fewer fields than the
   *     header
   */
  public static Table read(Path file) {
    return TableReader.read(file);
  }

  /**
   * A table from rows in memory.
   *
   * @param columns the columns' names, distinct and not blank
   * @param rows each as long as {@code columns}
   * @throws DataException if a name is blank or repeated, or a row has another length
   */
  public static Table of(List<String> columns, List<List<String>> rows) {
    Builder builder = new Builder("table", "row", columns, 0);
    for (int i = 0; i < rows.size(); i++) {
      builder.add(rows.get(i), i + 1);
    }
    return builder.build(false);
  }

  /**
   * Writes all rows in the form that the extension names, whole or not at all.
   *
   * @throws DataException if the extension is unknown, a text cannot be expressed in the form (a
   *     tab in TSV, a lone surrogate anywhere) or the file cannot be written
   */
  public void write(Path file) {
    TableWriter.write(this, file);
  }

  /** The file's name, or "table" if it was made in memory. */
  public String name() {
    return name;
  }

  /** The names of the columns, in order. */
  public List<String> columns() {
    return names;
  }

  /** The number of rows, without the header. */
  public int rowCount() {
    return rowCount;
  }

  /** The texts of one row, from 0, in the order of {@link #columns()}. */
  public List<String> row(int index) {
    return columns.stream().map(column -> column.get(index)).toList();
  }

  /**
   * The line of the file on which a row starts.
   *
   * @param row the row, from 0
   * @return the line, from 1; for a table made in memory the number of the row, from 1
   */
  public int line(int row) {
    return lines.get(row);
  }

  /** Whether there is a column of this name. */
  public boolean has(String column) {
    return names.contains(column);
  }

  /**
   * All texts of a column.
   *
   * @throws DataException if there is no such column; the message names those there are and the
   *     nearest one
   */
  public List<String> column(String column) {
    int index = names.indexOf(column);
    if (index < 0) {
      throw new DataException(
          "%s has no column \"%s\"%s; its columns are %s"
              .formatted(
                  name,
                  column,
                  Nearest.of(column, names).map(n -> "; did you mean \"" + n + "\"?").orElse(""),
                  quoted(names)));
    }
    return columns.get(index);
  }

  /**
   * The rows as labelled texts. Texts may be blank, labels may not.
   *
   * @param textColumn the column of the texts
   * @param labelColumn the column of the labels
   * @throws DataException if a column is missing or a label is blank
   */
  public List<Example> examples(String textColumn, String labelColumn) {
    List<String> texts = column(textColumn);
    List<String> labels = column(labelColumn);
    List<Example> examples = new ArrayList<>(rowCount);
    for (int i = 0; i < rowCount; i++) {
      if (labels.get(i).isBlank()) {
        throw new DataException(
            "%s line %d: the label in column \"%s\" is blank; give every row a label or remove it"
                .formatted(name, line(i), labelColumn));
      }
      examples.add(new Example(texts.get(i), labels.get(i), line(i)));
    }
    return List.copyOf(examples);
  }

  static String quoted(List<String> words) {
    return String.join(", ", words.stream().map(word -> '"' + word + '"').toList());
  }

  /** Collects rows and checks each against the header. */
  static final class Builder {
    private final String name;
    private final String unit;
    private final List<String> names;
    private final List<List<String>> columns = new ArrayList<>();
    private final List<Integer> lines = new ArrayList<>();

    /**
     * Starts a table.
     *
     * @param name how errors call it
     * @param unit what errors count, "line" or "row"
     * @param header the columns' names
     * @param headerLine where the header is, for errors; 0 if nowhere
     */
    Builder(String name, String unit, List<String> header, int headerLine) {
      this.name = name;
      this.unit = unit;
      this.names = header;
      String place = headerLine == 0 ? name : "%s line %d".formatted(name, headerLine);
      if (header.isEmpty()) {
        throw new DataException(place + ": there are no columns; expected at least one");
      }
      Set<String> seen = new HashSet<>();
      for (int i = 0; i < header.size(); i++) {
        String column = header.get(i);
        if (column.isBlank()) {
          throw new DataException(
              "%s: column %d has a blank name; give every column a name in the header"
                  .formatted(place, i + 1));
        }
        if (!seen.add(column)) {
          throw new DataException(
              "%s: the column \"%s\" is there twice; rename one of them".formatted(place, column));
        }
        columns.add(new ArrayList<>());
      }
    }

    void add(List<String> row, int line) {
      if (row.size() != names.size()) {
        throw new DataException(
            "%s %s %d: found %d %s, expected %d (%s)%s"
                .formatted(
                    name,
                    unit,
                    line,
                    row.size(),
                    row.size() == 1 ? "field" : "fields",
                    names.size(),
                    String.join(", ", names),
                    row.size() > names.size()
                        ? "; put texts that contain the separator in double quotes"
                        : ""));
      }
      for (int i = 0; i < row.size(); i++) {
        columns.get(i).add(row.get(i));
      }
      lines.add(line);
    }

    /** The table; with {@code rowsExpected} an empty one is an error. */
    Table build(boolean rowsExpected) {
      if (rowsExpected && lines.isEmpty()) {
        throw new DataException(
            "%s has a header (%s) but no rows; expected at least one"
                .formatted(name, String.join(", ", names)));
      }
      return new Table(name, names, columns, lines, lines.size());
    }
  }
}
