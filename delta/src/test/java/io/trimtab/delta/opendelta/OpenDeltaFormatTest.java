package io.trimtab.delta.opendelta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaFormats;
import io.trimtab.delta.TinyModels;
import io.trimtab.delta.lora.Lora;
import io.trimtab.hub.FileFormatException;
import io.trimtab.hub.ModelConfig;
import io.trimtab.hub.Safetensors;
import io.trimtab.hub.TensorData;
import io.trimtab.model.Batch;
import io.trimtab.model.Model;
import io.trimtab.model.ModelException;
import io.trimtab.model.Pass;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.json.JsonMapper;

/**
 * Checkpoints of OpenDelta. What it computes with them is compared by {@code trimtab parity}; here
 * is what is read and what is refused, with OpenDelta's own defects among it: {@code
 * exclude_modules} that its LoRA ignores, names that silently hit nothing, checkpoints that are
 * run.
 */
class OpenDeltaFormatTest {
  private final OpenDeltaFormat format = new OpenDeltaFormat();
  private final List<Model> open = new ArrayList<>();

  @TempDir Path directory = Path.of("");

  @AfterEach
  void close() {
    open.forEach(Model::close);
  }

  @TestFactory
  Stream<DynamicTest> pickledTensorsAreThoseOfTheSafetensors() {
    List<Path> cases = TinyModels.fixtures("opendelta");
    assumeTrue(!cases.isEmpty(), "no checkpoints of OpenDelta at -Dtrimtab.fixtures");
    return cases.stream()
        .map(path -> DynamicTest.dynamicTest(path.getFileName().toString(), () -> twice(path)));
  }

  private void twice(Path recorded) throws IOException {
    ModelConfig meta = ModelConfig.read(recorded.resolve("io.json"));
    Model model;
    try {
      model = TinyModels.open(recorded.resolve("../../hf", meta.text("base")).normalize());
    } catch (ModelException.Unsupported e) {
      assumeTrue(false, "no such backbone yet: " + e.getMessage());
      return;
    }
    open.add(model);
    assertThat(DeltaFormats.of(recorded).name()).isEqualTo("opendelta");
    assertThat(format.base(recorded)).isEqualTo(meta.text("base"));
    Path copy = Files.createDirectories(directory.resolve(recorded.getFileName()));
    for (String name : List.of(OpenDeltaFormat.CONFIG, OpenDeltaFormat.TENSORS)) {
      Files.copy(recorded.resolve(name), copy.resolve(name));
    }
    try (Delta pickled = format.load(recorded, model);
        Delta plain = format.load(copy, model)) {
      assertThat(pickled.count()).isEqualTo(meta.integer("trainable"));
      assertThat(numbers(pickled)).usingRecursiveComparison().isEqualTo(numbers(plain));
    } catch (ModelException.Unsupported e) {
      assumeTrue(false, "not on such a backbone yet: " + e.getMessage());
    }
  }

  private static Map<String, float[]> numbers(Delta delta) {
    Map<String, float[]> all = new LinkedHashMap<>();
    delta.parameters().forEach(each -> all.put(each.name(), each.value().detach().toFloats()));
    return all;
  }

  private Model tiny() {
    Model model = TinyModels.maskedLm(directory.resolve("tiny"));
    open.add(model);
    return model;
  }

  /** Writes a LoRA as OpenDelta would, without the pickle. */
  private Path checkpoint(Delta lora, Map<String, Object> changes, String root) throws IOException {
    LinkedHashMap<String, TensorData> tensors = new LinkedHashMap<>();
    for (Parameter parameter : lora.parameters()) {
      Tensor value = parameter.value().detach();
      String name = parameter.name().replaceFirst("\\.lora_([AB])\\.weight$", ".lora.lora_$1");
      tensors.put(
          root + name.substring("bert.".length()),
          new TensorData(value.dtype(), value.shape(), value.toBytes()));
    }
    return checkpoint(tensors, changes);
  }

  private Path checkpoint(Map<String, TensorData> tensors, Map<String, Object> changes)
      throws IOException {
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("delta_type", "lora");
    if (changes.getOrDefault("delta_type", "lora").equals("lora")) {
      config.put("lora_r", 2);
      config.put("lora_alpha", 16);
      config.put("lora_dropout", 0.0);
    }
    config.put("modified_modules", List.of("query"));
    config.put("exclude_modules", List.of("lm_head"));
    config.put("backbone_checkpoint_name", "tiny");
    config.put("opendelta_version", "0.3.0");
    config.putAll(changes);
    Path written = Files.createDirectories(directory.resolve("checkpoint"));
    Safetensors.write(
        written.resolve(OpenDeltaFormat.TENSORS), new LinkedHashMap<>(tensors), Map.of());
    Files.writeString(
        written.resolve(OpenDeltaFormat.CONFIG), JsonMapper.shared().writeValueAsString(config));
    return written;
  }

  private Delta lora(Model model, String... names) {
    Delta delta = Lora.rank(2).alpha(16).on(names).attach(model, Rng.seeded(1));
    TinyModels.move(delta, 2);
    return delta;
  }

  /** Of a backbone with another head, or without one, whose names begin otherwise. */
  @ParameterizedTest
  @CsvSource({"bert.", "''", "model.bert."})
  void theRootMayHaveAnotherName(String root) throws IOException {
    Model model = tiny();
    Batch batch = TinyModels.batch();
    try (Delta delta = lora(model, "query");
        Delta read = format.load(checkpoint(delta, Map.of(), root), model)) {
      assertThat(TinyModels.numbers(model, batch, Pass.with(batch.layout(), read.patches())))
          .isEqualTo(TinyModels.numbers(model, batch, Pass.with(batch.layout(), delta.patches())));
    }
  }

  /** OpenDelta's LoRA never looks at them: where they are excluded it is all the same. */
  @Test
  void excludedModulesHaveALoraAllTheSame() throws IOException {
    Model model = tiny();
    Map<String, Object> excluding = Map.of("exclude_modules", List.of("bert.encoder.layer.0"));
    try (Delta delta = lora(model, "query");
        Delta read = format.load(checkpoint(delta, excluding, "bert."), model)) {
      assertThat(numbers(read)).usingRecursiveComparison().isEqualTo(numbers(delta));
    }
  }

  /** Other methods do. */
  @Test
  void excludedModulesAreLeftOutOfAdapters() throws IOException {
    Model model = tiny();
    LinkedHashMap<String, TensorData> tensors = new LinkedHashMap<>();
    String at = "bert.encoder.layer.1.output.dense.adapter.modulelist.";
    tensors.put(at + "down_proj.weight", zeros(2, 16));
    tensors.put(at + "down_proj.bias", zeros(2));
    tensors.put(at + "up_proj.weight", zeros(16, 2));
    tensors.put(at + "up_proj.bias", zeros(16));
    Map<String, Object> changes = new LinkedHashMap<>(Map.of("delta_type", "adapter"));
    changes.put("bottleneck_dim", 2);
    changes.put("non_linearity", "gelu_new");
    changes.put("modified_modules", List.of("ff@.w2@"));
    changes.put("exclude_modules", List.of("bert.encoder.layer.0"));
    try (Delta read = format.load(checkpoint(tensors, changes), model)) {
      assertThat(read.count()).isEqualTo(2 * 16 + 2 + 16 * 2 + 16);
    }
  }

  private static TensorData zeros(long... shape) {
    try (Scope _ = Scope.open()) {
      return new TensorData(
          DType.F32, shape, Creation.zeros(DType.F32, Device.CPU, shape).toBytes());
    }
  }

  /** Sizes whose memory no file of that length fills, refused before any of it is taken. */
  @ParameterizedTest
  @CsvSource({
    "lora, lora_r, 2000000000",
    "adapter, bottleneck_dim, 2000000000",
    "compacter, reduction_factor, 0.00000001",
    "compacter, phm_rank, 2000000000",
    "low_rank_adapter, low_rank_rank, 2000000000",
    "prefix, prefix_token_num, 2000000000",
    "prefix, mid_dim, 2000000000",
    "prefix, embed_dim, 2000000000",
    "soft_prompt, soft_token_num, 2000000000"
  })
  void sizesBeyondTheFileAreRefused(String type, String field, double size) throws IOException {
    Model model = tiny();
    try (Delta delta = lora(model, "query")) {
      Path written = checkpoint(delta, Map.of("delta_type", type, field, size), "bert.");
      assertThatThrownBy(() -> format.load(written, model))
          .isInstanceOf(DeltaException.class)
          .hasMessageContaining("found " + field)
          .hasMessageContaining("beside a file of 128 numbers, expected none that asks for more");
    }
  }

  /** {@code freeze_module(exclude=["deltas", "layer_norm"])}: what it leaves is in the file. */
  @Test
  void unfrozenLayersAreTrainedAsAWhole() throws IOException {
    Model model = tiny();
    String norm = "bert.encoder.layer.1.output.LayerNorm.";
    try (Delta delta = lora(model, "query")) {
      LinkedHashMap<String, TensorData> tensors = new LinkedHashMap<>();
      for (Parameter each : delta.parameters()) {
        Tensor value = each.value().detach();
        tensors.put(
            each.name().replaceFirst("\\.lora_([AB])\\.weight$", ".lora.lora_$1"),
            new TensorData(value.dtype(), value.shape(), value.toBytes()));
      }
      Tensor ones = Creation.floats(new float[16], 16);
      TensorData zeros = new TensorData(ones.dtype(), ones.shape(), ones.toBytes());
      tensors.put(norm + "weight", zeros);
      tensors.put(norm + "bias", zeros);
      try (Delta read = format.load(checkpoint(tensors, Map.of()), model)) {
        assertThat(numbers(read)).containsKeys(norm + "weight", norm + "bias");
        assertThat(read.count()).isEqualTo(delta.count() + 32);
      }
      tensors.remove(norm + "weight");
      Path half = checkpoint(tensors, Map.of());
      assertThatThrownBy(() -> format.load(half, model)).hasMessageContaining(norm + "bias");
    }
  }

  @Test
  void whatSilentlyHitNothingIsAnError() throws IOException {
    Model model = tiny();
    Path empty = checkpoint(new LinkedHashMap<>(), Map.of());
    assertThatThrownBy(() -> format.load(empty, model))
        .isInstanceOf(DeltaException.NoMatch.class)
        .hasMessageContaining("found no tensor")
        .hasMessageContaining("hit no module");
    try (Delta delta = lora(model, "query")) {
      // Without common_structure=True these are ends of paths, and no path has them.
      Path missed =
          checkpoint(delta, Map.of("modified_modules", List.of("attn.q", "attn.v")), "bert.");
      assertThatThrownBy(() -> format.load(missed, model))
          .isInstanceOf(DeltaException.NoMatch.class)
          .hasMessageContaining("attn.q");
    }
  }

  @Test
  void everyTensorHasAPlaceAndEveryPlaceATensor() throws IOException {
    Model model = tiny();
    try (Delta delta = lora(model, "query", "value")) {
      Path more = checkpoint(delta, Map.of(), "bert.");
      assertThatThrownBy(() -> format.load(more, model))
          .isInstanceOf(DeltaException.class)
          .hasMessageContaining("tensors with no place");
    }
    try (Delta delta = lora(model, "query")) {
      Path fewer =
          checkpoint(delta, Map.of("modified_modules", List.of("query", "value")), "bert.");
      assertThatThrownBy(() -> format.load(fewer, model))
          .isInstanceOf(DeltaException.class)
          .hasMessageContaining("no tensor");
      Path wider = checkpoint(delta, Map.of("lora_r", 3), "bert.");
      assertThatThrownBy(() -> format.load(wider, model)).hasMessageContaining("of shape [3, 16]");
    }
  }

  @ParameterizedTest
  @CsvSource({
    "lora, novel, found novel",
    "ia3, lora_r, found delta_type ia3",
    "parallel_adapter, scaled, found scaled 2.0",
    "compacter, shared_phm_rule, found shared_phm_rule true"
  })
  void whatIsNotKnownIsRefusedByName(String type, String field, String why) throws IOException {
    Model model = tiny();
    Map<String, Object> changes = new LinkedHashMap<>();
    changes.put("delta_type", type);
    switch (type) {
      case "parallel_adapter" -> {
        changes.put("modified_modules", List.of("attn@", "attn@"));
        changes.put("bottleneck_dim", 2);
        changes.put("scaled", 2.0);
      }
      case "compacter" -> {
        changes.put("modified_modules", List.of("attn@.proj@"));
        changes.put("reduction_factor", 4);
        changes.put("hypercomplex_division", 2);
        changes.put("phm_rank", 1);
        changes.put("shared_phm_rule", true);
      }
      default -> changes.put(field, 3);
    }
    try (Delta delta = lora(model, "query")) {
      Path written = checkpoint(delta, changes, "bert.");
      assertThatThrownBy(() -> format.load(written, model))
          .isInstanceOf(DeltaException.Unsupported.class)
          .hasMessageContaining(why);
    }
  }

  /** {@code os.system} in a pickle is a name that nobody knows here, and nothing happens. */
  @Test
  void aPickleThatRunsSomethingIsRefused() throws IOException {
    Model model = tiny();
    Path written = checkpoint(new LinkedHashMap<>(), Map.of());
    Path trace = directory.resolve("trace");
    String program = "cposix\nsystem\n(S'touch " + trace + "'\ntR.";
    try (OutputStream out = Files.newOutputStream(written.resolve(OpenDeltaFormat.PICKLED));
        ZipOutputStream zip = new ZipOutputStream(out)) {
      byte[] bytes = program.getBytes(StandardCharsets.US_ASCII);
      CRC32 crc = new CRC32();
      crc.update(bytes);
      ZipEntry entry = new ZipEntry("pytorch_model/data.pkl");
      entry.setMethod(ZipEntry.STORED);
      entry.setSize(bytes.length);
      entry.setCrc(crc.getValue());
      zip.putNextEntry(entry);
      zip.write(bytes);
      zip.closeEntry();
    }
    assertThatThrownBy(() -> format.load(written, model))
        .isInstanceOf(FileFormatException.class)
        .hasMessageContaining("posix.system");
    assertThat(trace).doesNotExist();
  }

  @Test
  void picklesAreNeverWritten() {
    Model model = tiny();
    assertThat(format.isWritten()).isFalse();
    try (Delta delta = lora(model, "query")) {
      assertThatThrownBy(() -> format.save(delta, directory.resolve("out")))
          .isInstanceOf(DeltaException.Unsupported.class)
          .hasMessageContaining("peft");
    }
    assertThat(directory.resolve("out")).doesNotExist();
  }
}
