package io.trimtab.delta.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaFiles;
import io.trimtab.delta.TinyModels;
import io.trimtab.delta.lora.Lora;
import io.trimtab.model.Model;
import io.trimtab.tensor.Rng;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DeltaRegistryTest {
  @TempDir Path folder = Path.of("");
  private Path run = Path.of("");
  private DeltaRegistry registry = DeltaRegistry.at(Path.of(""));

  @BeforeEach
  void write() throws IOException {
    registry = DeltaRegistry.at(folder.resolve("deltas"));
    run = folder.resolve("run");
    try (Model model = TinyModels.maskedLm(folder.resolve("tiny"));
        Delta delta = Lora.rank(2).attach(model, Rng.seeded(1))) {
      DeltaFiles.save(delta, run.resolve("delta"));
    }
    Files.writeString(
        run.resolve("run.json"),
        """
        {"what": "tune", "hashes": {"model": "abc"}, "seeds": {"order": 7}}
        """);
    Files.writeString(
        run.resolve("metrics.jsonl"),
        """
        {"step":1,"event":"train","loss":0.9,"rate":0.001}
        {"step":2,"event":"train","loss":0.5,"rate":0.001}
        {"step":2,"event":"dev","accuracy":0.75}
        {"step":3,"event":"tra\
        """);
  }

  private Path delta() {
    return run.resolve("delta");
  }

  private EntryNotes notes() {
    return EntryNotes.NONE
        .withRun(RunFacts.around(delta()).orElseThrow())
        .withMetrics(Map.of("test.accuracy", 0.9))
        .withLicence("apache-2.0")
        .withText("Sorts \"tickets\".");
  }

  @Test
  void whatIsPutInIsReadBack() {
    DeltaEntry put = registry.add(delta(), notes());
    assertThat(registry.list()).containsExactly(put);
    assertThat(put.method()).isEqualTo("LORA");
    assertThat(put.base()).isEqualTo("tiny");
    assertThat(put.fingerprints())
        .containsOnlyKeys(
            "bert.encoder.layer.0.attention.self.query.weight",
            "bert.encoder.layer.0.attention.self.value.weight",
            "bert.encoder.layer.1.attention.self.query.weight",
            "bert.encoder.layer.1.attention.self.value.weight");
    assertThat(put.notes().metrics())
        .containsExactly(
            Map.entry("dev.accuracy", 0.75),
            Map.entry("test.accuracy", 0.9),
            Map.entry("train.loss", 0.5));
    assertThat(put.notes().run()).isNotNull();
    assertThat(registry.directory(put.id())).isDirectoryContaining("glob:**README.md");
  }

  @Test
  void theIdIsThatOfTheFilesAlone() throws IOException {
    DeltaEntry first = registry.add(delta(), notes());
    Files.writeString(delta().resolve("README.md"), "other words");
    DeltaEntry again = registry.add(delta(), EntryNotes.NONE.withMetrics(Map.of("f1", 0.8)));
    assertThat(again.id()).isEqualTo(first.id());
    assertThat(again.notes().metrics()).containsKeys("f1", "test.accuracy");
    assertThat(again.notes().licence()).isEqualTo("apache-2.0");
    assertThat(registry.list()).hasSize(1);
    Files.writeString(delta().resolve("task.json"), "{}");
    assertThat(registry.add(delta(), EntryNotes.NONE).id()).isNotEqualTo(first.id());
  }

  @Test
  void namesPointAndMove() throws IOException {
    DeltaEntry one = registry.add(delta(), EntryNotes.NONE);
    Files.writeString(delta().resolve("task.json"), "{}");
    DeltaEntry two = registry.add(delta(), EntryNotes.NONE);
    registry.name(DeltaName.parse("tickets"), one.id());
    registry.name(DeltaName.parse("tickets:v1"), one.id());
    registry.name(DeltaName.parse("tickets"), two.id());
    assertThat(registry.find("tickets").id()).isEqualTo(two.id());
    assertThat(registry.find("tickets:v1").id()).isEqualTo(one.id());
    assertThat(registry.find(one.id().substring(0, 8)).id()).isEqualTo(one.id());
    assertThat(registry.names().keySet())
        .map(DeltaName::toString)
        .containsExactly("tickets", "tickets:v1");
    assertThatThrownBy(() -> registry.find("ticket"))
        .isInstanceOf(RegistryException.class)
        .hasMessageContaining("tickets:v1");
    assertThatThrownBy(() -> DeltaName.parse("../x")).isInstanceOf(RegistryException.class);
    assertThatThrownBy(() -> DeltaName.parse("x:a/b")).isInstanceOf(RegistryException.class);
    assertThatThrownBy(() -> registry.name(DeltaName.parse("x"), "0".repeat(64)))
        .isInstanceOf(RegistryException.class);
  }

  @Test
  void manyWritersAtOnceLoseNothing() {
    List<String> ids =
        IntStream.range(0, 12)
            .parallel()
            .mapToObj(
                i ->
                    registry
                        .add(delta(), EntryNotes.NONE.withMetrics(Map.of("figure-" + i, 1.0 * i)))
                        .id())
            .distinct()
            .toList();
    assertThat(ids).hasSize(1);
    DeltaEntry entry = registry.find(ids.getFirst());
    assertThat(entry.notes().metrics()).hasSize(12);
    assertThat(Verification.of(registry.directory(entry.id()), entry.manifest(), null).problems())
        .isEmpty();
    try (Stream<Path> objects = Files.list(folder.resolve("deltas").resolve("objects"))) {
      assertThat(objects).hasSize(1); // nothing half-made is left
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void aDirectoryWithoutADeltaIsRefused() {
    assertThatThrownBy(() -> registry.add(folder, EntryNotes.NONE))
        .isInstanceOf(RegistryException.class)
        .hasMessageContaining("adapter_config.json");
    assertThat(registry.list()).isEmpty();
    assertThatThrownBy(() -> EntryNotes.NONE.withMetrics(Map.of("loss", Double.NaN)))
        .isInstanceOf(RegistryException.class)
        .hasMessageContaining("loss");
  }

  @Test
  void theCardSaysItInWordsAndInFrontMatter() {
    DeltaEntry entry =
        registry.add(
            delta(), notes().withParent(new EntryNotes.Parent("0123456789abcdef", "merged", 0.7)));
    String card = ModelCard.of(entry);
    assertThat(card)
        .startsWith("---\nbase_model: tiny\nlibrary_name: peft\nlicense: apache-2.0\ntags:\n")
        .contains("- lora\n")
        .contains("Sorts \"tickets\".")
        .contains("| test.accuracy | 0.9000 |")
        .contains("the seed 7 (order)")
        .contains("merged from `0123456789abcdef`, with the weight 0.7")
        .contains("the hashes of 4 tensors")
        .contains(entry.id());
    assertThat(ModelCard.write(delta(), notes())).hasFileName("README.md").isNotEmptyFile();
  }
}
