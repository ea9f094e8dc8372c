package io.trimtab.delta.registry;

import static org.assertj.core.api.Assertions.assertThat;

import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaFiles;
import io.trimtab.delta.TinyModels;
import io.trimtab.delta.lora.Lora;
import io.trimtab.hub.Safetensors;
import io.trimtab.hub.TensorData;
import io.trimtab.hub.TensorFile;
import io.trimtab.model.Model;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Rng;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VerificationTest {
  @TempDir Path folder = Path.of("");
  private Path delta = Path.of("");

  @BeforeEach
  void write() {
    delta = folder.resolve("delta");
    try (Model model = TinyModels.maskedLm(folder.resolve("tiny"));
        Delta lora = Lora.rank(2).attach(model, Rng.seeded(1))) {
      DeltaFiles.save(lora, delta);
    }
  }

  @Test
  void allIsWellAtFirst() {
    try (Model model = TinyModels.open(folder.resolve("tiny"))) {
      Verification found = Verification.of(delta, DeltaManifest.of(delta), model);
      assertThat(found.ok()).isTrue();
      assertThat(found.hashes()).isEqualTo(2);
      assertThat(found.tensors()).isEqualTo(8);
      assertThat(found.fingerprints()).isEqualTo(4);
    }
  }

  @Test
  void changedMissingAndNewFilesAreNamed() throws IOException {
    Files.writeString(delta.resolve("task.json"), "{}");
    DeltaManifest before = DeltaManifest.of(delta);
    Files.delete(delta.resolve("task.json"));
    Files.writeString(delta.resolve("more.txt"), "x");
    Path config = delta.resolve(DeltaFiles.CONFIG);
    Files.writeString(config, Files.readString(config) + " ");
    assertThat(Verification.of(delta, before, null).problems())
        .hasSize(3)
        .anyMatch(line -> line.contains("task.json"))
        .anyMatch(line -> line.contains("more.txt"))
        .anyMatch(line -> line.startsWith(DeltaFiles.CONFIG + ": found SHA-256"));
  }

  @Test
  void numbersThatAreNotFiniteAreFound() {
    Path file = delta.resolve(DeltaFiles.TENSORS);
    LinkedHashMap<String, TensorData> tensors = new LinkedHashMap<>();
    String bad;
    try (TensorFile open = Safetensors.open(file)) {
      bad = open.names().getFirst();
      for (String name : open.names()) {
        float[] numbers = new float[(int) open.info(name).elements()];
        Arrays.fill(numbers, name.equals(bad) ? Float.NaN : 1);
        tensors.put(
            name,
            new TensorData(DType.F32, open.info(name).shape(), MemorySegment.ofArray(numbers)));
      }
    }
    Safetensors.write(file, tensors, Map.of());
    assertThat(Verification.of(delta, null, null).problems())
        .singleElement()
        .asString()
        .startsWith(bad)
        .contains("not finite");
  }

  @Test
  void aCutFileIsAFindingAndNoFailure() throws IOException {
    Path file = delta.resolve(DeltaFiles.TENSORS);
    Files.write(file, Arrays.copyOf(Files.readAllBytes(file), 200));
    Verification found = Verification.of(delta, null, null);
    assertThat(found.ok()).isFalse();
    assertThat(found.problems()).singleElement().asString().contains(DeltaFiles.TENSORS);
  }

  @Test
  void anotherBaseShowsWhichTensorsDiffer() {
    try (Model other = TinyModels.maskedLm(folder.resolve("other"), 2);
        Model same = TinyModels.open(folder.resolve("tiny"))) {
      Verification found = Verification.of(delta, null, other);
      assertThat(found.ok()).isFalse();
      assertThat(found.problems()).isEmpty();
      assertThat(found.differences()).hasSize(4);
      String name = "bert.encoder.layer.0.attention.self.query.weight";
      assertThat(found.differences())
          .contains(
              new BaseFingerprints.Difference(
                  name, same.fingerprint(name), other.fingerprint(name)));
    }
    try (Model smaller = TinyModels.baseSized(folder.resolve("base"))) {
      // Layers that are missing there have no hash at all.
      assertThat(Verification.of(delta, null, smaller).differences()).hasSize(4);
    }
  }

  @Test
  void everyTensorThatADeltaIsForIsRecorded() {
    try (Model model = TinyModels.open(folder.resolve("tiny"));
        Delta lora = DeltaFiles.load(delta, model)) {
      assertThat(BaseFingerprints.recorded(delta).keySet())
          .containsExactlyInAnyOrderElementsOf(lora.baseTensors());
    }
  }
}
