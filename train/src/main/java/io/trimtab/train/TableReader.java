package io.trimtab.train;

import de.siegmar.fastcsv.reader.CommentStrategy;
import de.siegmar.fastcsv.reader.CsvParseException;
import de.siegmar.fastcsv.reader.CsvReader;
import de.siegmar.fastcsv.reader.CsvRecord;
import de.siegmar.fastcsv.reader.FieldMismatchStrategy;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.databind.json.JsonMapper;

/** Reads tables from CSV, TSV and JSONL. */
final class TableReader {
  private static final JsonMapper JSON = JsonMapper.shared();

  private final String name;

  private TableReader(String name) {
    this.name = name;
  }

  static Table read(Path file) {
    String name = String.valueOf(file.getFileName());
    TableReader reader = new TableReader(name);
    TableFormat format = TableFormat.of(file, "read");
    if (Files.isDirectory(file)) {
      throw new DataException(
          "%s is a directory; expected a .csv, .tsv or .jsonl file".formatted(file));
    }
    try (Reader text = new Utf8Reader(Files.newInputStream(file), name)) {
      return switch (format) {
        case CSV -> reader.csv(text);
        case TSV -> reader.tsv(text);
        case JSONL -> reader.jsonl(text);
      };
    } catch (NoSuchFileException e) {
      throw new DataException("%s is not there; check the path".formatted(file), e);
    } catch (IOException | UncheckedIOException e) {
      throw new DataException("%s cannot be read: %s".formatted(file, e.getMessage()), e);
    }
  }

  private Table csv(Reader text) throws IOException {
    Table.Builder table = null;
    long lastLine = 0;
    // Ragged rows pass the parser so that our own check can say what was found and expected.
    try (CsvReader<CsvRecord> records =
        CsvReader.builder()
            .commentStrategy(CommentStrategy.NONE)
            .extraFieldStrategy(FieldMismatchStrategy.IGNORE)
            .missingFieldStrategy(FieldMismatchStrategy.IGNORE)
            .allowUnclosedQuote(false)
            .ofCsvRecord(text)) {
      for (CsvRecord row : records) {
        lastLine = row.getStartingLineNumber();
        table = add(table, row.getFields(), Math.toIntExact(lastLine));
      }
    } catch (CsvParseException e) {
      throw malformedCsv(e, lastLine);
    }
    return finish(table);
  }

  private DataException malformedCsv(CsvParseException e, long lastLine) {
    for (Throwable cause = e; cause != null; cause = cause.getCause()) {
      if (cause instanceof DataException data) {
        return data;
      }
    }
    Throwable cause = e.getCause() == null ? e : e.getCause();
    return new DataException(
        "%s: the record after line %d is not CSV (%s)".formatted(name, lastLine, cause.getMessage())
            + "; put fields that hold quotes, commas or line breaks in double quotes and double the"
            + " quotes inside",
        e);
  }

  private Table tsv(Reader text) throws IOException {
    StringBuilder all = new StringBuilder();
    char[] buffer = new char[1 << 16];
    for (int n = text.read(buffer); n >= 0; n = text.read(buffer)) {
      if (all.length() + (long) n > Integer.MAX_VALUE - 16) {
        throw new DataException(
            name + " is longer than 2^31 characters; expected less, write it as .csv or .jsonl");
      }
      all.append(buffer, 0, n);
    }
    Table.Builder table = null;
    TsvParser parser = new TsvParser(all);
    for (List<String> row = parser.next(); row != null; row = parser.next()) {
      table = add(table, row, parser.line());
    }
    return finish(table);
  }

  private Table.Builder add(Table.@Nullable Builder table, List<String> row, int line) {
    if (table == null) {
      return new Table.Builder(name, "line", row, line);
    }
    table.add(row, line);
    return table;
  }

  private Table finish(Table.@Nullable Builder table) {
    if (table == null) {
      throw new DataException(name + " is empty; expected a header row and at least one row");
    }
    return table.build(true);
  }

  private Table jsonl(Reader text) throws IOException {
    Table.Builder table = null;
    List<String> names = List.of();
    int number = 0;
    BufferedReader lines = new BufferedReader(text);
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      number++;
      if (line.isBlank()) {
        continue;
      }
      SequencedMap<String, String> object = object(line, number);
      if (table == null) {
        names = List.copyOf(object.sequencedKeySet());
        table = new Table.Builder(name, "line", names, number);
      }
      table.add(inOrder(object, names, number), number);
    }
    if (table == null) {
      throw new DataException(name + " is empty; expected one JSON object a line");
    }
    return table.build(true);
  }

  private List<String> inOrder(Map<String, String> object, List<String> names, int line) {
    List<String> row = new ArrayList<>(names.size());
    for (String key : names) {
      String value = object.get(key);
      if (value == null) {
        throw new DataException(
            place(line)
                + "the key \"%s\" is missing; expected the first object's keys %s in every line"
                    .formatted(key, Table.quoted(names)));
      }
      row.add(value);
    }
    for (String key : object.keySet()) {
      if (!names.contains(key)) {
        throw new DataException(
            place(line)
                + "the key \"%s\" is new; expected the first object's keys %s in every line"
                    .formatted(key, Table.quoted(names)));
      }
    }
    return row;
  }

  private String place(int line) {
    return "%s line %d: ".formatted(name, line);
  }

  private SequencedMap<String, String> object(String line, int number) {
    SequencedMap<String, String> object = new LinkedHashMap<>();
    try (JsonParser parser = JSON.createParser(line)) {
      if (parser.nextToken() != JsonToken.START_OBJECT) {
        throw new DataException(
            "%s line %d: found %s, expected a JSON object like {\"text\": \"…\", \"label\": \"…\"}"
                .formatted(name, number, describe(parser.currentToken())));
      }
      while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
        String key = parser.currentName();
        JsonToken value = parser.nextToken();
        if (!value.isScalarValue() || value == JsonToken.VALUE_NULL) {
          throw new DataException(
              "%s line %d: the value of \"%s\" is %s; expected text, a number, true or false"
                  .formatted(name, number, key, describe(value)));
        }
        // The text of a number token is the number as written: 1.0 stays 1.0, 1e5 stays 1e5.
        if (object.put(key, parser.getString()) != null) {
          throw new DataException(
              "%s line %d: the key \"%s\" is there twice; remove one".formatted(name, number, key));
        }
      }
      if (parser.nextToken() != null) {
        throw new DataException(
            "%s line %d: there is more after the JSON object; expected one object a line"
                .formatted(name, number));
      }
    } catch (JacksonException e) {
      throw new DataException(
          "%s line %d is not JSON: %s".formatted(name, number, e.getOriginalMessage()), e);
    }
    return object;
  }

  private static String describe(@Nullable JsonToken token) {
    return switch (token) {
      case START_OBJECT -> "an object";
      case START_ARRAY -> "a list";
      case VALUE_NULL -> "null";
      case VALUE_STRING -> "a text";
      case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> "a number";
      case VALUE_TRUE, VALUE_FALSE -> "a boolean";
      case null, default -> "nothing";
    };
  }
}
