package io.trimtab.delta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trimtab.delta.adalora.AdaLora;
import io.trimtab.delta.ia3.Ia3;
import io.trimtab.delta.lora.Lora;
import io.trimtab.delta.selective.Selective;
import io.trimtab.hub.FileFormatException;
import io.trimtab.hub.ModelConfig;
import io.trimtab.hub.Safetensors;
import io.trimtab.hub.TensorData;
import io.trimtab.hub.TensorFile;
import io.trimtab.hub.TensorInfo;
import io.trimtab.model.Batch;
import io.trimtab.model.Model;
import io.trimtab.model.Pass;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import io.trimtab.tensor.TrimtabException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class DeltaFilesTest {
  private static final String QUERY =
      "base_model.model.bert.encoder.layer.0.attention.self.query.lora_A.weight";

  @TempDir Path directory = Path.of("");
  private Model model;
  private Path saved = Path.of("");

  @BeforeEach
  void open() {
    model = TinyModels.maskedLm(directory.resolve("tiny"));
    saved = directory.resolve("delta");
  }

  @AfterEach
  void close() {
    model.close();
  }

  private void save(DeltaSpec spec) {
    try (Delta delta = spec.attach(model, Rng.seeded(1))) {
      TinyModels.move(delta, 2);
      DeltaFiles.save(delta, saved);
    }
  }

  static List<DeltaSpec> specs() {
    Map<String, Integer> ranks = new LinkedHashMap<>();
    ranks.put("layer.1.attention.self.query", 5);
    ranks.put("query", 2);
    return List.of(
        Lora.rank(3),
        Lora.rank(3).rankStabilised(true).alpha(2.5).bias(Lora.Bias.ALL),
        Lora.rank(3).bias(Lora.Bias.LORA_ONLY).saving("transform.dense"),
        Lora.rank(3).on(Address.parse("all-linear,word_embeddings")),
        Lora.rank(3).on("decoder"),
        Lora.rank(3).on(Address.regex(".*\\.(query|key)").excludingRegex(".*0.*key")),
        Lora.rank(3)
            .on(
                Address.parse("dense")
                    .excluding(List.of("intermediate.dense"))
                    .inBlocks(List.of(1), List.of("layer"))),
        Lora.rank(3).dropout(0.1).outputBias(true).patterns(ranks, Map.of("value", 3.0)),
        Lora.rank(3).dora(true).on("query", "word_embeddings"),
        Lora.rank(3).tokens(List.of(4, 11)),
        AdaLora.ranks(5, 2),
        Ia3.on("key", "output.dense").feedForward("output.dense").saving("transform.dense"),
        Selective.biases(),
        Selective.all());
  }

  @ParameterizedTest
  @MethodSource("specs")
  void whatIsReadBackIsTheSameBitForBit(DeltaSpec spec) {
    Batch batch = TinyModels.batch();
    try (Delta delta = spec.attach(model, Rng.seeded(1))) {
      TinyModels.move(delta, 2);
      DeltaFiles.save(delta, saved);
      try (Delta again = DeltaFiles.load(saved, model)) {
        assertThat(names(again)).containsExactlyInAnyOrderElementsOf(names(delta));
        assertThat(again.count()).isEqualTo(delta.count());
        assertThat(TinyModels.numbers(model, batch, Pass.with(batch.layout(), again.patches())))
            .isEqualTo(
                TinyModels.numbers(model, batch, Pass.with(batch.layout(), delta.patches())));
        // And what is written of that is the same again.
        Path copy = directory.resolve("copy");
        DeltaFiles.save(again, copy);
        assertThat(copy.resolve(DeltaFiles.TENSORS))
            .hasSameBinaryContentAs(saved.resolve(DeltaFiles.TENSORS));
      }
    }
  }

  private static List<String> names(Delta delta) {
    return delta.parameters().stream().map(Parameter::name).toList();
  }

  @Test
  void theConfigurationIsThatOfPeft() {
    save(Lora.rank(3).alpha(5));
    ModelConfig config = ModelConfig.read(saved.resolve(DeltaFiles.CONFIG));
    assertThat(config.text("peft_type")).isEqualTo("LORA");
    assertThat(config.integer("r")).isEqualTo(3);
    assertThat(config.integer("lora_alpha")).isEqualTo(5);
    assertThat(config.texts("target_modules")).containsExactly("query", "value");
    assertThat(config.text("base_model_name_or_path")).isEqualTo("tiny");
    assertThat(saved.toFile().list()).containsOnly(DeltaFiles.CONFIG, DeltaFiles.TENSORS);
  }

  @Test
  void aDeltaOfOtherWeightsIsRefusedByTheirNames() {
    save(Lora.rank(3));
    try (Model other = TinyModels.maskedLm(directory.resolve("other"), 2)) {
      assertThatThrownBy(() -> DeltaFiles.load(saved, other))
          .isInstanceOf(DeltaException.BaseMismatch.class)
          .hasMessageContaining("bert.encoder.layer.0.attention.self.query.weight")
          .hasMessageContaining("1 more");
    }
  }

  @Test
  void aFileWithoutFingerprintsIsRead() {
    save(Lora.rank(3));
    rewrite(tensors -> {}, Map.of());
    DeltaFiles.load(saved, model).close();
  }

  @Test
  void theBaseOfAMergedModelIsKnownByItsOwnWeights() {
    try (Delta first = Lora.rank(2).attach(model, Rng.seeded(1))) {
      TinyModels.move(first, 4);
      try (Model merged = first.merge();
          Delta second = Lora.rank(2).attach(merged, Rng.seeded(2))) {
        DeltaFiles.save(second, saved);
        DeltaFiles.load(saved, merged).close();
        assertThatThrownBy(() -> DeltaFiles.load(saved, model))
            .isInstanceOf(DeltaException.BaseMismatch.class);
      }
    }
  }

  private void rewrite(Consumer<Map<String, TensorData>> change, Map<String, String> metadata) {
    Path file = saved.resolve(DeltaFiles.TENSORS);
    LinkedHashMap<String, TensorData> tensors = new LinkedHashMap<>();
    try (TensorFile from = Safetensors.open(file)) {
      for (String name : from.names()) {
        TensorInfo info = from.info(name);
        MemorySegment bytes =
            MemorySegment.ofArray(from.bytes(name).toArray(ValueLayout.JAVA_BYTE));
        tensors.put(name, new TensorData(info.dtype(), info.shape(), bytes));
      }
    }
    change.accept(tensors);
    Safetensors.write(file, tensors, metadata);
  }

  private void assertRefused(String... parts) {
    assertThatThrownBy(() -> DeltaFiles.load(saved, model))
        .isInstanceOfSatisfying(
            DeltaException.class, e -> assertThat(e.getMessage()).contains(parts));
  }

  @Test
  void aMissingTensorIsRefused() {
    save(Lora.rank(3));
    rewrite(tensors -> tensors.remove(QUERY), Map.of());
    assertRefused("no tensor", QUERY, "expected");
  }

  @Test
  void aTensorWithoutAPlaceIsRefused() {
    save(Lora.rank(3));
    rewrite(
        tensors -> tensors.put("base_model.model.stray.lora_A.weight", data(DType.F32, 1, 3, 16)),
        Map.of());
    assertRefused("stray.lora_A.weight", "expected");
  }

  @Test
  void aTensorOfAnotherShapeIsRefused() {
    save(Lora.rank(3));
    rewrite(tensors -> tensors.put(QUERY, data(DType.F32, 1, 4, 16)), Map.of());
    assertRefused(QUERY, "[4, 16]", "[3, 16]");
  }

  @Test
  void aTensorOfWholeNumbersIsRefused() {
    save(Lora.rank(3));
    rewrite(tensors -> tensors.put(QUERY, data(DType.I64, 1, 3, 16)), Map.of());
    assertRefused(QUERY, "floating");
  }

  @ParameterizedTest
  @CsvSource({"NaN", "Infinity"})
  void numbersThatAreNotFiniteAreRefused(double value) {
    save(Lora.rank(3));
    rewrite(tensors -> tensors.put(QUERY, data(DType.F32, value, 3, 16)), Map.of());
    assertRefused(QUERY, "not finite");
  }

  @Test
  void halfPrecisionIsRead() {
    save(Lora.rank(3));
    rewrite(tensors -> tensors.put(QUERY, data(DType.BF16, 0.5, 3, 16)), Map.of());
    try (Delta delta = DeltaFiles.load(saved, model)) {
      assertThat(delta.parameters().getFirst().value().toFloats()).containsOnly(0.5f);
    }
  }

  private static TensorData data(DType type, double value, long... shape) {
    try (Scope _ = Scope.open()) {
      Tensor tensor = Creation.full(value, type, Device.CPU, shape);
      return new TensorData(type, shape, tensor.toBytes());
    }
  }

  @Test
  void aFileCutOffAnywhereIsRefused() throws IOException {
    save(Lora.rank(3));
    Path file = saved.resolve(DeltaFiles.TENSORS);
    byte[] whole = Files.readAllBytes(file);
    for (int length : new int[] {0, 7, 100, whole.length / 2, whole.length - 1}) {
      Files.write(file, Arrays.copyOf(whole, length));
      assertThatThrownBy(() -> DeltaFiles.load(saved, model))
          .as("%d of %d bytes", length, whole.length)
          .isInstanceOf(FileFormatException.class);
    }
  }

  @Test
  void aFileThatIsMissingIsNamed() throws IOException {
    assertRefused(DeltaFiles.CONFIG, "expected a directory with");
    save(Lora.rank(3));
    Files.delete(saved.resolve(DeltaFiles.TENSORS));
    assertRefused(DeltaFiles.TENSORS);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"peft_type\": \"NOVEL\"|NOVEL",
        "\"use_qalora\": true|use_qalora",
        "\"fan_in_fan_out\": true|fan_in_fan_out",
        "\"target_parameters\": [\"experts\"]|target_parameters",
        "\"layer_replication\": [[0, 2]]|layer_replication",
        "\"alora_invocation_tokens\": [1, 2]|alora_invocation_tokens",
        "\"init_lora_weights\": \"loftq\"|init_lora_weights=loftq"
      })
  void whatIsNotComputedIsRefusedByName(String field, String named) throws IOException {
    save(Lora.rank(3));
    Path config = saved.resolve(DeltaFiles.CONFIG);
    String key = field.substring(0, field.indexOf(':'));
    String text = Files.readString(config).replaceAll("(?m)^ *" + key + " :.*\n", "");
    Files.writeString(config, text.replaceFirst("\\{", "{" + field + ","));
    assertThatThrownBy(() -> DeltaFiles.load(saved, model))
        .isInstanceOf(DeltaException.Unsupported.class)
        .hasMessageContaining(named);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {"[]", "{", "{\"peft_type\": 3}", "{}", "{\"peft_type\": \"LORA\", \"r\": \"x\"}"})
  void aConfigurationThatIsNoneIsATypedError(String text) throws IOException {
    save(Lora.rank(3));
    Files.writeString(saved.resolve(DeltaFiles.CONFIG), text);
    assertThatThrownBy(() -> DeltaFiles.load(saved, model)).isInstanceOf(TrimtabException.class);
  }
}
