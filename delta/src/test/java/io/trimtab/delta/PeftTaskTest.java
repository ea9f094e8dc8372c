package io.trimtab.delta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.trimtab.delta.lora.Lora;
import io.trimtab.delta.prefix.Prefix;
import io.trimtab.delta.softprompt.SoftPrompt;
import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Model;
import io.trimtab.tensor.Rng;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** PEFT leaves prompts and prefixes out of what it computes where a file names no task. */
class PeftTaskTest {
  @TempDir Path directory = Path.of("");

  @Test
  void promptsNameATaskThatPeftKnows() {
    try (Model model = TinyModels.maskedLm(directory.resolve("masked"))) {
      assertThat(task(SoftPrompt.of(2), model)).isEqualTo("FEATURE_EXTRACTION");
      assertThat(task(Prefix.of(2), model)).isEqualTo("FEATURE_EXTRACTION");
    }
  }

  /** By a classifier's own name PEFT refuses a file without the classifier. */
  @Test
  void aClassifierIsNamedWhereItsWeightsAreInTheFile() {
    try (Model model = TinyModels.classifier(directory.resolve("classifier"))) {
      assertThat(task(SoftPrompt.of(2), model)).isEqualTo("FEATURE_EXTRACTION");
      assertThat(task(SoftPrompt.of(2).saving("classifier"), model)).isEqualTo("SEQ_CLS");
      assertThat(task(Prefix.of(2).saving("classifier"), model)).isEqualTo("SEQ_CLS");
    }
  }

  @ParameterizedTest
  @CsvSource({"llama,CAUSAL_LM", "t5,SEQ_2_SEQ_LM", "bart,SEQ_2_SEQ_LM"})
  void modelsThatWriteAreNamed(String name, String expected) {
    List<Path> found =
        TinyModels.fixtures("hf").stream().filter(path -> path.endsWith(name)).toList();
    assumeTrue(!found.isEmpty(), "no recorded model at -Dtrimtab.fixtures");
    try (Model model = TinyModels.open(found.getFirst())) {
      assertThat(task(SoftPrompt.of(2), model)).isEqualTo(expected);
      assertThat(task(Prefix.of(2), model)).isEqualTo(expected);
    }
  }

  @Test
  void whatActsInLayersNeedsNone() {
    try (Model model = TinyModels.maskedLm(directory.resolve("masked"))) {
      assertThat(task(Lora.rank(2), model)).isEmpty();
    }
  }

  private String task(DeltaSpec spec, Model model) {
    Path saved = directory.resolve(spec.peftType() + spec.hashCode());
    try (Delta delta = spec.attach(model, Rng.seeded(1))) {
      DeltaFiles.save(delta, saved);
    }
    return ModelConfig.read(saved.resolve(DeltaFiles.CONFIG)).text(PeftFields.TASK, "");
  }
}
