package io.trimtab.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code trimtab parity} over recorded outputs of a tiny BERT, right and damaged. */
class ParityCommandTest {
  private static final Path RECORDED = Path.of("..", "model", "src", "test", "resources", "hf");

  /** Three rows of nine tokens with a logit for each of 96 words. */
  private static final int LOGITS = 3 * 9 * 96;

  @TempDir private Path folder;

  @BeforeEach
  void copyFixture() throws IOException {
    Assumptions.assumeTrue(
        Files.isDirectory(RECORDED), "the recorded outputs are not in " + RECORDED);
    Path bert = Files.createDirectories(folder.resolve("hf/bert"));
    try (Stream<Path> files = Files.list(RECORDED.resolve("bert"))) {
      for (Path file : files.toList()) {
        Files.copy(file, bert.resolve(file.getFileName()));
      }
    }
  }

  @Test
  void whatAgreesIsOk() {
    Run run = Run.of("parity", folder.toString(), "--json");
    Map<?, ?> result = run.succeeded().json();
    assertThat(result.get("ok")).isEqualTo(1);
    assertThat(result.get("refused")).isEqualTo(0);
    assertThat(result.get("wrong")).isEqualTo(0);
    Map<?, ?> only = (Map<?, ?>) Run.list(result, "cases").getFirst();
    assertThat(only.get("case")).isEqualTo("hf/bert");
    assertThat(only.get("status")).isEqualTo("ok");
    assertThat(Run.number(only, "error")).isBetween(0.0, 1e-4);
    assertThat(run.err()).contains("hf/bert", "1 ok, 0 refused, 0 wrong");
  }

  @Test
  void damagedRecordsAreWrong() throws IOException {
    Path records = folder.resolve("hf/bert/io.safetensors");
    byte[] bytes = Files.readAllBytes(records);
    ByteBuffer data = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    int first = bytes.length - LOGITS * Float.BYTES; // the file ends with them
    data.putFloat(first, data.getFloat(first) + 0.01f);
    Files.write(records, bytes);
    Run run = Run.of("parity", folder.toString(), "--json");
    assertThat(run.code()).isEqualTo(1);
    Map<?, ?> only = (Map<?, ?>) Run.list(run.json(), "cases").getFirst();
    assertThat(only.get("status")).isEqualTo("wrong");
    assertThat(run.json().get("wrong")).isEqualTo(1);
  }

  @Test
  void unknownArchitecturesAreRefusedByName() throws IOException {
    Path config = folder.resolve("hf/bert/config.json");
    Files.writeString(config, Files.readString(config).replace("\"bert\"", "\"zebra\""));
    Run run = Run.of("parity", folder.toString());
    assertThat(run.succeeded().out()).contains("refused", "zebra", "0 ok, 1 refused, 0 wrong");
  }

  @Test
  void aDirectoryWithoutCasesIsAnError() throws IOException {
    Path empty = Files.createDirectory(folder.resolve("empty"));
    Run run = Run.of("parity", empty.toString(), "--json");
    assertThat(run.code()).isNotZero();
    assertThat(run.out()).isEmpty();
    assertThat(run.err().lines()).singleElement().asString().startsWith("trimtab: ");
  }
}
