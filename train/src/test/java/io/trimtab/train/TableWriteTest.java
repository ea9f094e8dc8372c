package io.trimtab.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TableWriteTest {
  /** Files of the properties, which have no {@code @TempDir}. */
  private static Path shared = Path.of("");

  @TempDir Path dir = Path.of("");

  @BeforeContainer
  static void makeFolder() throws IOException {
    shared = Files.createTempDirectory("table");
  }

  @AfterContainer
  static void removeFolder() throws IOException {
    try (Stream<Path> files = Files.list(shared)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
    Files.delete(shared);
  }

  @Property(tries = 300)
  void csvReadsBackWhatItWrote(@ForAll("tables") Table table) {
    assertRoundTrip(table, "a.csv");
  }

  @Property(tries = 300)
  void jsonlReadsBackWhatItWrote(@ForAll("tables") Table table) {
    assertRoundTrip(table, "a.jsonl");
  }

  @Property(tries = 300)
  void tsvReadsBackWhatItWrote(@ForAll("tablesWithoutTabs") Table table) {
    assertRoundTrip(table, "a.tsv");
  }

  private static void assertRoundTrip(Table table, String name) {
    Path file = shared.resolve(name);
    table.write(file);
    Table read = Table.read(file);
    assertThat(read.columns()).isEqualTo(table.columns());
    assertThat(read.rowCount()).isEqualTo(table.rowCount());
    for (String column : table.columns()) {
      assertThat(read.column(column)).isEqualTo(table.column(column));
    }
  }

  @Provide
  static Arbitrary<Table> tables() {
    return tables("ab ,;\"'\t\r\n\\{}#é€😀\u2028\uFEFF\u0000");
  }

  @Provide
  static Arbitrary<Table> tablesWithoutTabs() {
    return tables("ab ,;\"'\r\n\\{}#é€😀\u2028\uFEFF\u0000");
  }

  private static Arbitrary<Table> tables(String alphabet) {
    List<String> characters = alphabet.codePoints().mapToObj(Character::toString).toList();
    Arbitrary<String> text =
        Arbitraries.of(characters).list().ofMaxSize(8).map(parts -> String.join("", parts));
    Arbitrary<String> name = text.map(suffix -> "n" + suffix);
    return name.list()
        .uniqueElements()
        .ofMinSize(1)
        .ofMaxSize(4)
        .flatMap(
            names ->
                text.list()
                    .ofSize(names.size())
                    .list()
                    .ofMinSize(1)
                    .ofMaxSize(5)
                    .map(rows -> Table.of(names, rows)));
  }

  @Test
  void theFormIsPlain() throws IOException {
    Table table =
        Table.of(
            List.of("text", "label"), List.of(List.of("a \"b\", c", "x"), List.of("", "y\tz")));

    table.write(dir.resolve("a.csv"));
    table.write(dir.resolve("a.jsonl"));

    assertThat(dir.resolve("a.csv")).hasContent("text,label\n\"a \"\"b\"\", c\",x\n\"\",y\tz\n");
    assertThat(dir.resolve("a.jsonl"))
        .hasContent(
            "{\"text\":\"a \\\"b\\\", c\",\"label\":\"x\"}\n{\"text\":\"\",\"label\":\"y\\tz\"}\n");
  }

  @Test
  void aTabInTsvIsAnErrorThatLeavesTheOldFile() throws IOException {
    Path file = Files.writeString(dir.resolve("a.tsv"), "old");
    Table table = Table.of(List.of("text"), List.of(List.of("a\tb")));

    assertThatThrownBy(() -> table.write(file))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("column \"text\" holds a tab");
    assertThat(file).hasContent("old");
    assertThat(dir).isDirectoryNotContaining(path -> !path.equals(file));
  }

  @Test
  void halfASurrogatePairIsAnErrorEverywhere() {
    Table table = Table.of(List.of("text"), List.of(List.of("a\uD83Db")));

    for (String name : List.of("a.csv", "a.tsv", "a.jsonl")) {
      assertThatThrownBy(() -> table.write(dir.resolve(name)))
          .isInstanceOf(DataException.class)
          .hasMessageContaining("half of a surrogate pair");
    }
  }

  @Test
  void whereItCannotWrite() {
    Table table = Table.of(List.of("text"), List.of());

    assertThatThrownBy(() -> table.write(dir.resolve("no/a.csv")))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("cannot be written");
    assertThatThrownBy(() -> table.write(dir.resolve("a.txt")))
        .hasMessageContaining("expected .csv, .tsv or .jsonl");
  }

  @Test
  void rowsInMemoryAreCheckedToo() {
    assertThatThrownBy(() -> Table.of(List.of("a", "b"), List.of(List.of("1"))))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("table row 1: found 1 field, expected 2 (a, b)");
    assertThatThrownBy(() -> Table.of(List.of("a", " "), List.of()))
        .hasMessageContaining("column 2 has a blank name");
  }
}
