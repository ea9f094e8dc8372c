package io.trimtab.prompt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trimtab.hub.EncodeOptions.TruncationSide;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TaskFileTest {
  @TempDir Path directory = Path.of("");

  private static final Cloze TASK =
      Cloze.template("\"{text}\" {{é}} {mask}\\")
          .words("zweite", "b", "a")
          .words("erste", "\"", "漢😀")
          .maxLength(77)
          .truncate(TruncationSide.LEFT);

  @Test
  void isReadBackAsWritten() throws IOException {
    TaskFile task = new TaskFile("some/model", TASK);
    task.save(directory.resolve("new"));
    task.save(directory.resolve("new"));
    assertThat(TaskFile.read(directory.resolve("new"))).isEqualTo(task);
    try (var files = Files.list(directory.resolve("new"))) {
      assertThat(files).hasSize(1);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"format\" : 1 | \"format\" : 2 | format 2",
        "\"cloze\" | \"poem\" | task \"poem\"",
        "{mask} | {nask} | the slot {nask}",
        "\"left\" | \"up\" | left or right",
        "\"max_length\" | \"length\" | max_length",
        "\"erste\" : | \"dritte\" : | no word for the label \"erste\"",
        "77 | \"77\" | max_length",
      })
  void saysWhatIsDamaged(String part, String by, String message) throws IOException {
    new TaskFile("some/model", TASK).save(directory);
    Path file = directory.resolve(TaskFile.NAME);
    String text = Files.readString(file);
    assertThat(text).contains(part);
    Files.writeString(file, text.replace(part, by));
    assertThatThrownBy(() -> TaskFile.read(directory))
        .isInstanceOf(PromptException.TaskFile.class)
        .hasMessageContaining(message)
        .hasMessageContaining(TaskFile.NAME);
  }

  @Test
  void saysWhereThereIsNone() {
    assertThatThrownBy(() -> TaskFile.read(directory))
        .isInstanceOf(PromptException.TaskFile.class)
        .hasMessageContaining("found no task.json");
  }
}
