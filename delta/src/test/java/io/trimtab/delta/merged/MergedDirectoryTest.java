package io.trimtab.delta.merged;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaMethods;
import io.trimtab.delta.TinyModels;
import io.trimtab.hub.ModelDirectory;
import io.trimtab.hub.Safetensors;
import io.trimtab.hub.TensorData;
import io.trimtab.hub.TensorFile;
import io.trimtab.model.Batch;
import io.trimtab.model.Model;
import io.trimtab.model.Pass;
import io.trimtab.tensor.Rng;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MergedDirectoryTest {
  private static final String WORDS = "bert.embeddings.word_embeddings.weight";

  @TempDir Path folder = Path.of("");
  private Path base = Path.of("");

  @BeforeEach
  void write() throws IOException {
    base = folder.resolve("tiny");
    TinyModels.maskedLm(base).close();
    Files.writeString(base.resolve("vocab.txt"), "[PAD]\n");
    Files.writeString(base.resolve("pytorch_model.bin"), "another form of the weights");
  }

  /** Writes the merged model, and compares it, read back, with the delta on its base. */
  private MergedDirectory.Written check(String method, Map<String, String> options, Path target) {
    Batch batch = TinyModels.batch();
    try (Model model = TinyModels.open(base);
        Delta delta =
            DeltaMethods.named(method).fromOptions(options, model).attach(model, Rng.seeded(1))) {
      TinyModels.move(delta, 3);
      float[] expected =
          TinyModels.numbers(model, batch, Pass.with(batch.layout(), delta.patches()));
      MergedDirectory.Written written =
          MergedDirectory.write(delta, ModelDirectory.of(base), target);
      try (Model merged = TinyModels.open(target)) {
        assertThat(TinyModels.numbers(merged, batch, Pass.plain(batch.layout())))
            .as(method)
            .containsExactly(expected, Offset.offset(1e-4f));
      }
      return written;
    }
  }

  @Test
  void theMergedModelGivesTheSameResults() throws IOException {
    Path target = folder.resolve("merged");
    MergedDirectory.Written written = check("lora", Map.of("rank", "2"), target);
    assertThat(written.changed())
        .hasSize(4)
        .allMatch(name -> name.matches(".*self.(query|value).weight"));
    assertThat(target).isDirectoryNotContaining("glob:**.bin");
    assertThat(target.resolve("vocab.txt")).exists();
    assertThat(Files.readString(target.resolve("config.json")))
        .isEqualTo(Files.readString(base.resolve("config.json")));
    try (TensorFile before = Safetensors.open(base.resolve("model.safetensors"));
        TensorFile after = Safetensors.open(target.resolve("model.safetensors"))) {
      assertThat(after.names()).containsExactlyElementsOf(before.names());
      assertThat(after.bytes(WORDS).mismatch(before.bytes(WORDS))).isEqualTo(-1);
    }
    check("bitfit", Map.of(), folder.resolve("biases"));
    check("full", Map.of(), folder.resolve("all"));
  }

  @Test
  void aTiedHeadThatIsNoLongerTiedSaysSo() throws IOException {
    Path target = folder.resolve("merged");
    MergedDirectory.Written written =
        check("lora", Map.of("targets", "word_embeddings", "rank", "2"), target);
    assertThat(written.changed()).contains(WORDS, "cls.predictions.decoder.weight");
    assertThat(Files.readString(target.resolve("config.json"))).contains("\"tie_word_embeddings\"");
  }

  @Test
  void oldNamesAndRepeatedTensorsFollow() {
    Path file = base.resolve("model.safetensors");
    LinkedHashMap<String, TensorData> tensors = new LinkedHashMap<>();
    Path copy = folder.resolve("copy.safetensors");
    try (TensorFile open = Safetensors.open(file)) {
      for (String name : open.names()) {
        String old =
            name.replace("LayerNorm.weight", "LayerNorm.gamma")
                .replace("LayerNorm.bias", "LayerNorm.beta");
        TensorData data =
            new TensorData(open.info(name).dtype(), open.info(name).shape(), open.bytes(name));
        tensors.put(old, data);
        if (name.equals("cls.predictions.bias")) {
          tensors.put("cls.predictions.decoder.bias", data);
        }
      }
      Safetensors.write(copy, tensors, Map.of());
    }
    try {
      Files.move(copy, file, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
    Path target = folder.resolve("merged");
    MergedDirectory.Written written = check("full", Map.of(), target);
    assertThat(written.changed())
        .contains("bert.embeddings.LayerNorm.gamma", "cls.predictions.decoder.bias");
    try (TensorFile after = Safetensors.open(target.resolve("model.safetensors"))) {
      assertThat(after.names()).containsExactlyInAnyOrderElementsOf(tensors.keySet());
      assertThat(
              after
                  .bytes("cls.predictions.decoder.bias")
                  .mismatch(after.bytes("cls.predictions.bias")))
          .isEqualTo(-1);
    }
  }

  @Test
  void nothingIsLeftOfWhatFails() throws IOException {
    Path target = folder.resolve("merged");
    try (Model model = TinyModels.open(base);
        Delta prefix =
            DeltaMethods.named("prefix").fromOptions(Map.of(), model).attach(model, Rng.seeded(1));
        Delta lora =
            DeltaMethods.named("lora").fromOptions(Map.of(), model).attach(model, Rng.seeded(1))) {
      assertThatThrownBy(() -> MergedDirectory.write(prefix, ModelDirectory.of(base), target))
          .isInstanceOf(DeltaException.Unsupported.class);
      assertThatThrownBy(() -> MergedDirectory.write(lora, ModelDirectory.of(base), base))
          .isInstanceOf(DeltaException.class)
          .hasMessageContaining("expected a new or empty directory");
    }
    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files).containsExactly(base);
    }
  }
}
