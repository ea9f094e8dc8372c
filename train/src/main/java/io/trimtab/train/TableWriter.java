package io.trimtab.train;

import de.siegmar.fastcsv.writer.CsvWriter;
import de.siegmar.fastcsv.writer.LineDelimiter;
import de.siegmar.fastcsv.writer.QuoteStrategies;
import io.trimtab.hub.AtomicFiles;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;

/** Writes tables as CSV, TSV and JSONL such that {@link TableReader} reads the same back. */
final class TableWriter {
  private static final JsonMapper JSON = JsonMapper.shared();

  private TableWriter() {}

  static void write(Table table, Path file) {
    TableFormat format = TableFormat.of(file, "write");
    try {
      AtomicFiles.write(
          file,
          out -> {
            // The encoder of a charset given by name would replace what it cannot encode.
            Writer writer =
                new BufferedWriter(
                    new OutputStreamWriter(out, StandardCharsets.UTF_8.newEncoder()), 1 << 16);
            switch (format) {
              case CSV -> csv(table, writer);
              case TSV -> tsv(table, writer);
              case JSONL -> jsonl(table, writer);
            }
            writer.flush();
          });
    } catch (IOException | UncheckedIOException e) {
      if (e instanceof CharacterCodingException
          || e.getCause() instanceof CharacterCodingException) {
        throw new DataException(
            file
                + " cannot be written: a text holds half of a surrogate pair, which UTF-8 cannot"
                + " express; clean the text",
            e);
      }
      throw new DataException(
          "%s cannot be written: %s; check the directory and its free space".formatted(file, e), e);
    }
  }

  private static void csv(Table table, Writer writer) throws IOException {
    CsvWriter csv =
        CsvWriter.builder()
            .lineDelimiter(LineDelimiter.LF)
            // A row with one empty field would otherwise be an empty line, which readers skip.
            .quoteStrategy(QuoteStrategies.EMPTY)
            .build(writer);
    csv.writeRecord(table.columns());
    for (int i = 0; i < table.rowCount(); i++) {
      csv.writeRecord(table.row(i));
    }
    csv.flush();
  }

  private static void tsv(Table table, Writer writer) throws IOException {
    tsvRow(table, table.columns(), writer);
    for (int i = 0; i < table.rowCount(); i++) {
      tsvRow(table, table.row(i), writer);
    }
  }

  private static void tsvRow(Table table, List<String> row, Writer writer) throws IOException {
    for (int i = 0; i < row.size(); i++) {
      String field = row.get(i);
      if (field.indexOf('\t') >= 0) {
        throw new DataException(
            "a text in column \"%s\" holds a tab, which TSV cannot express; write .csv or .jsonl"
                .formatted(table.columns().get(i)));
      }
      boolean quote =
          field.startsWith("\"")
              || field.indexOf('\n') >= 0
              || field.indexOf('\r') >= 0
              || (row.size() == 1 && field.isEmpty());
      writer.write(i == 0 ? "" : "\t");
      writer.write(quote ? '"' + field.replace("\"", "\"\"") + '"' : field);
    }
    writer.write('\n');
  }

  private static void jsonl(Table table, Writer writer) throws IOException {
    for (int i = 0; i < table.rowCount(); i++) {
      Map<String, String> object = new LinkedHashMap<>();
      List<String> row = table.row(i);
      for (int j = 0; j < row.size(); j++) {
        object.put(table.columns().get(j), row.get(j));
      }
      writer.write(JSON.writeValueAsString(object));
      writer.write('\n');
    }
  }
}
