package io.trimtab.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.trimtab.train.Table;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RateWarningTest {
  @TempDir Path folder = Path.of("");

  private Run tune(String rate) throws IOException {
    Path train = folder.resolve("train.csv");
    Table.of(List.of("text", "label"), TinyBert.sentences(8, 1)).write(train);
    return Run.of(
        "tune",
        "--model",
        TinyBert.write(folder, 1).toString(),
        "--train",
        train.toString(),
        "--out",
        folder.resolve("run-" + rate).toString(),
        "--template",
        "{text} it was {mask} .",
        "--verbalizer",
        "positive=great,negative=terrible",
        "--epochs",
        "1",
        "--rate",
        rate,
        "--json");
  }

  @Test
  void aRateThatIsFarOffIsRemarkedAndTaken() throws IOException {
    Run far = tune("1e-7").succeeded();
    assertThat(far.err()).contains("warning", "below the 0.001 that is usual for lora");
    assertThat(Run.number(far.json(), "steps")).isEqualTo(1);
    assertThat(tune("5e-4").succeeded().err()).doesNotContain("warning");
  }
}
