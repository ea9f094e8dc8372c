package io.trimtab.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TableReadTest {
  @TempDir Path dir;

  private Path file(String name, String content) throws IOException {
    return Files.writeString(dir.resolve(name), content);
  }

  private Table read(String name, String content) throws IOException {
    return Table.read(file(name, content));
  }

  @Test
  void csvWithQuotesCommasAndLineBreaks() throws IOException {
    Table table =
        read("a.csv", "text,label\r\n\"one, \"\"two\"\"\r\nthree\",x\r\nplain,\"y z\"\r\n");

    assertThat(table.columns()).containsExactly("text", "label");
    assertThat(table.rowCount()).isEqualTo(2);
    assertThat(table.column("text")).containsExactly("one, \"two\"\r\nthree", "plain");
    assertThat(table.row(1)).containsExactly("plain", "y z");
    assertThat(table.line(0)).isEqualTo(2);
    assertThat(table.line(1)).isEqualTo(4);
    assertThat(table.has("label")).isTrue();
    assertThat(table.has("Label")).isFalse();
  }

  @Test
  void hashAndSpacesAreText() throws IOException {
    Table table = read("a.csv", "text,label\n# not a comment, x\n ,y\n");

    assertThat(table.column("text")).containsExactly("# not a comment", " ");
    assertThat(table.column("label")).containsExactly(" x", "y");
  }

  @ParameterizedTest
  @ValueSource(strings = {"a.csv", "a.CSV"})
  void byteOrderMarkIsNotPartOfTheFirstName(String name) throws IOException {
    assertThat(read(name, "\uFEFFtext,label\nü,x\n").column("text")).containsExactly("ü");
  }

  @Test
  void byteOrderMarkInTsvAndJsonl() throws IOException {
    assertThat(read("a.tsv", "\uFEFFtext\tlabel\nü\tx\n").column("text")).containsExactly("ü");
    assertThat(read("a.jsonl", "\uFEFF{\"text\":\"ü\"}\n").column("text")).containsExactly("ü");
  }

  @Test
  void blankLinesAreSkippedButCounted() throws IOException {
    assertThat(read("a.csv", "\n\na,b\n\n1,2\n\n").line(0)).isEqualTo(5);
    assertThat(read("a.tsv", "\r\n\r\na\tb\r\n\r\n1\t2\r\n\r\n").line(0)).isEqualTo(5);
    assertThat(read("a.jsonl", "\n\n{\"a\":1}\n  \n{\"a\":2}").line(1)).isEqualTo(5);
  }

  @Test
  void tsvOfBothHabits() throws IOException {
    Table table =
        read(
            "a.tsv",
            """
            text\tlabel
            "quoted, with ""inner"" and
            line break"\tx
            "Hello" he said\tx
            "never closed\tx
            5" pipe\t"y"
            """);

    assertThat(table.column("text"))
        .containsExactly(
            "quoted, with \"inner\" and\nline break",
            "\"Hello\" he said",
            "\"never closed",
            "5\" pipe");
    assertThat(table.column("label")).containsExactly("x", "x", "x", "y");
    assertThat(table.line(1)).isEqualTo(4);
  }

  @Test
  void jsonlTakesScalarsAsWritten() throws IOException {
    Table table =
        read(
            "a.jsonl",
            """
            {"text":"a\\n\\u00e9","n":1.0,"b":true}
            {"b":false,"n":1e5,"text":""}
            """);

    assertThat(table.columns()).containsExactly("text", "n", "b");
    assertThat(table.row(0)).containsExactly("a\né", "1.0", "true");
    assertThat(table.row(1)).containsExactly("", "1e5", "false");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          a.csv   | ``                             | a.csv is empty
          a.tsv   | `BOM`                        | a.tsv is empty
          a.jsonl | `\\n\\n`                       | a.jsonl is empty
          a.csv   | `text,label\\n`                | has a header (text, label) but no rows
          a.tsv   | `text\\tlabel`                 | has a header (text, label) but no rows
          a.csv   | `a,b\\n1,2\\n1,2,3\\n`         | a.csv line 3: found 3 fields, expected 2 (a, b)
          a.csv   | `a,b\\n"x\\ny",2\\n1\\n`       | a.csv line 4: found 1 field, expected 2 (a, b)
          a.tsv   | `a\\tb\\n1\\n`                 | a.tsv line 2: found 1 field, expected 2 (a, b)
          a.csv   | `a,b,a\\n1,2,3\\n`             | line 1: the column "a" is there twice
          a.csv   | `a,,c\\n1,2,3\\n`              | line 1: column 2 has a blank name
          a.csv   | `a,b\\n1,"x"y\\n`              | a.csv: the record after line 1 is not CSV
          a.csv   | `a,b\\n1,2\\n1,"x\\n`          | a.csv: the record after line 2 is not CSV
          a.jsonl | `{"a":1}\\n{"a":[1]}`          | line 2: the value of "a" is a list
          a.jsonl | `{"a":{"b":1}}`                | line 1: the value of "a" is an object
          a.jsonl | `{"a":null}`                   | line 1: the value of "a" is null
          a.jsonl | `{"a":1}\\n{"b":1}`            | line 2: the key "a" is missing
          a.jsonl | `{"a":1}\\n{"a":1,"b":1}`      | line 2: the key "b" is new
          a.jsonl | `{"a":1,"a":2}`                | line 1: the key "a" is there twice
          a.jsonl | `{"a":1} {"a":2}`              | line 1: there is more after the JSON object
          a.jsonl | `[1]`                          | line 1: found a list, expected a JSON object
          a.jsonl | `{"a":1}\\n{"a":`              | a.jsonl line 2 is not JSON
          a.jsonl | `{}`                           | line 1: there are no columns
          a.xlsx  | `a`                            | expected .csv, .tsv or .jsonl
          """)
  void whatCannotBeReadSaysWhereAndWhy(String name, String content, String message)
      throws IOException {
    Path file = file(name, content.translateEscapes().replace("BOM", "\uFEFF"));

    assertThatThrownBy(() -> Table.read(file))
        .isInstanceOf(DataException.class)
        .hasMessageContaining(message)
        .hasMessageNotContaining("\n");
  }

  @ParameterizedTest
  @ValueSource(strings = {"a.csv", "a.tsv", "a.jsonl"})
  void malformedUtf8IsNamedByLine(String name) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    String row = name.equals("a.jsonl") ? "{\"a\":\"x\"}\r\n" : "a\r\n";
    // More than one of the reader's buffers, so that lines are counted across them.
    for (int i = 0; i < 40_000; i++) {
      bytes.writeBytes(row.getBytes(StandardCharsets.UTF_8));
    }
    bytes.write(0xE9);
    bytes.writeBytes(row.getBytes(StandardCharsets.UTF_8));
    Path file = Files.write(dir.resolve(name), bytes.toByteArray());

    assertThatThrownBy(() -> Table.read(file))
        .isInstanceOf(DataException.class)
        .hasMessageContaining(name + " line 40001: byte 0xe9 is not valid UTF-8");
  }

  @Test
  void truncatedUtf8AtTheEnd() throws IOException {
    Path file = Files.write(dir.resolve("a.csv"), new byte[] {'a', '\n', (byte) 0xC3});

    assertThatThrownBy(() -> Table.read(file)).hasMessageContaining("a.csv line 2: byte 0xc3");
  }

  @Test
  void charactersAcrossBuffersSurvive() throws IOException {
    // Three- and four-byte characters at every phase of the reader's buffer of 65,536 bytes.
    String text = "x" + "€😀".repeat(40_000);

    assertThat(read("a.csv", "a\n" + text + "\n").column("a")).containsExactly(text);
  }

  @Test
  void missingFileAndDirectory() {
    assertThatThrownBy(() -> Table.read(dir.resolve("no.csv")))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("no.csv is not there");
    Path folder = dir.resolve("d.csv");
    assertThat(folder.toFile().mkdir()).isTrue();
    assertThatThrownBy(() -> Table.read(folder)).hasMessageContaining("is a directory");
  }

  @Test
  void missingColumnNamesTheNearest() throws IOException {
    Table table = read("a.csv", "text,label\n1,2\n");

    assertThatThrownBy(() -> table.column("Lable"))
        .isInstanceOf(DataException.class)
        .hasMessage(
            "a.csv has no column \"Lable\"; did you mean \"label\"?; its columns are \"text\","
                + " \"label\"");
    assertThatThrownBy(() -> table.column("sentiment"))
        .hasMessage("a.csv has no column \"sentiment\"; its columns are \"text\", \"label\"");
  }

  @Test
  void examplesKeepTheirLines() throws IOException {
    Table table = read("a.csv", "text,label\n,x\nb,y\n");

    assertThat(table.examples("text", "label"))
        .containsExactly(new Example("", "x", 2), new Example("b", "y", 3));
  }

  @Test
  void blankLabelIsAnError() throws IOException {
    Table table = read("a.csv", "text,label\na,x\nb, \n");

    assertThatThrownBy(() -> table.examples("text", "label"))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("a.csv line 3: the label in column \"label\" is blank");
  }

  @Test
  void levenshtein() {
    assertThat(Nearest.distance("kitten", "sitting")).isEqualTo(3);
    assertThat(Nearest.distance("", "abc")).isEqualTo(3);
    assertThat(Nearest.distance("abc", "abc")).isZero();
    assertThat(Nearest.of(" TEXT", List.of("label", "text"))).contains("text");
  }
}
