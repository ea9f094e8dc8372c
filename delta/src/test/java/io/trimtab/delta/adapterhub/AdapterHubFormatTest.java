package io.trimtab.delta.adapterhub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaFormats;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.TinyModels;
import io.trimtab.delta.ia3.Ia3;
import io.trimtab.delta.lora.Lora;
import io.trimtab.delta.prefix.Prefix;
import io.trimtab.delta.reft.Reft;
import io.trimtab.delta.selective.Selective;
import io.trimtab.delta.softprompt.SoftPrompt;
import io.trimtab.hub.ModelConfig;
import io.trimtab.hub.Safetensors;
import io.trimtab.hub.TensorFile;
import io.trimtab.model.Batch;
import io.trimtab.model.Model;
import io.trimtab.model.ModelException;
import io.trimtab.model.Pass;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Rng;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.json.JsonMapper;

class AdapterHubFormatTest {
  private final AdapterHubFormat format = new AdapterHubFormat();

  @TempDir Path directory = Path.of("");

  /** What is written of what AdapterHub wrote is that again, tensor by tensor, field by field. */
  @TestFactory
  Stream<DynamicTest> writesWhatItReads() {
    List<Path> cases =
        TinyModels.fixtures("adapterhub").stream()
            .filter(path -> Files.exists(path.resolve(AdapterHubFormat.CONFIG)))
            .toList();
    assumeTrue(!cases.isEmpty(), "no recorded adapters at -Dtrimtab.fixtures");
    return cases.stream()
        .map(path -> DynamicTest.dynamicTest(path.getFileName().toString(), () -> again(path)));
  }

  private void again(Path recorded) {
    Path base =
        recorded.resolve("../../hf", ModelConfig.read(recorded.resolve("io.json")).text("base"));
    Path written = directory.resolve(recorded.getFileName());
    try (Model model = TinyModels.open(base.normalize());
        Delta delta = DeltaFormats.load(recorded, model)) {
      format.save(delta, written, "a");
    } catch (DeltaException.Unsupported | ModelException.Unsupported e) {
      assertThat(e).hasMessageStartingWith("found ");
      return;
    }
    assertThat(tensors(written)).usingRecursiveComparison().isEqualTo(tensors(recorded));
    assertThat(fields(written)).isEqualTo(fields(recorded));
  }

  private static Map<String, byte[]> tensors(Path adapter) {
    Map<String, byte[]> all = new TreeMap<>();
    try (TensorFile file = Safetensors.open(adapter.resolve(AdapterHubFormat.TENSORS))) {
      file.names().forEach(name -> all.put(name, file.bytes(name).toArray(ValueLayout.JAVA_BYTE)));
    }
    return all;
  }

  /** All but the model's name, with all numbers as decimals. */
  private static String fields(Path adapter) {
    var json = JsonMapper.shared().readTree(adapter.resolve(AdapterHubFormat.CONFIG).toFile());
    Map<String, Object> fields = new TreeMap<>();
    json.forEachEntry((name, value) -> fields.put(name, value.toString()));
    fields.remove("model_name");
    Map<String, Object> config = new TreeMap<>();
    json.get("config").forEachEntry((name, value) -> config.put(name, value.toString()));
    fields.put("config", config);
    return fields.toString().replaceAll("(\\d)\\.0(?=\\D)", "$1");
  }

  static List<DeltaSpec> specs() {
    return List.of(
        Lora.rank(3).alpha(5),
        Lora.rank(3).rankStabilised(true).on("query", "output.dense"),
        Ia3.on("key", "value"),
        Prefix.of(2).keepingPositions(),
        Prefix.of(2).projected(5).inBlocks(List.of(1)).keepingPositions(),
        SoftPrompt.of(3).in(SoftPrompt.Place.EMBEDDED_AFTER_FIRST),
        Reft.of(Reft.Kind.LOREFT, 2),
        Reft.of(Reft.Kind.LOREFT, 2).based(true).inBlocks(List.of(1)),
        Reft.of(Reft.Kind.NOREFT, 2).at(2, 0, true));
  }

  @ParameterizedTest
  @MethodSource("specs")
  void whatIsWrittenIsReadBackBitForBit(DeltaSpec given) {
    // The second layer of the feed-forward network alone is "output.dense" of a block.
    DeltaSpec spec =
        given instanceof Lora lora && lora.toString().contains("output.dense")
            ? Lora.rank(3)
                .rankStabilised(true)
                .on("query", "layer.0.output.dense", "layer.1.output.dense")
            : given;
    Batch batch = TinyModels.batch();
    Path saved = directory.resolve("my.delta");
    try (Model model = TinyModels.maskedLm(directory.resolve("tiny"));
        Delta delta = spec.attach(model, Rng.seeded(1))) {
      TinyModels.move(delta, 2);
      DeltaFormats.named("adapterhub").save(delta, saved);
      assertThat(ModelConfig.read(saved.resolve("adapter_config.json")).text("name"))
          .isEqualTo("my-delta");
      try (Delta again = DeltaFormats.load(saved, model)) {
        assertThat(again.count()).isEqualTo(delta.count());
        Path copy = directory.resolve("copy");
        format.save(again, copy, "my-delta");
        assertThat(tensors(copy)).usingRecursiveComparison().isEqualTo(tensors(saved));
        assertThat(TinyModels.numbers(model, batch, Pass.with(batch.layout(), again.patches())))
            .isEqualTo(
                TinyModels.numbers(model, batch, Pass.with(batch.layout(), delta.patches())));
      }
    }
  }

  @Test
  void whatTheLayoutCannotSayIsRefused() {
    try (Model model = TinyModels.maskedLm(directory.resolve("tiny"))) {
      refused(Prefix.of(2), model, "shifts positions");
      refused(SoftPrompt.of(2), model, "in front of the words' vectors");
      refused(Reft.of(Reft.Kind.DIREFT, 2), model, "DiReFT");
      refused(Lora.rank(2).on("transform.dense"), model, "layers other than");
      refused(Lora.rank(2).saving("transform.dense"), model, "transform.dense");
      refused(Lora.rank(2).on("layer.0.attention.self.query", "key"), model, "alike in all");
      refused(Ia3.on("key", "output.dense").feedForward("output.dense"), model, "scaled inputs");
      refused(Selective.biases(), model, "the method bitfit");
    }
  }

  /** AdapterHub names the layers of Llama's gated network the other way round than Qwen's. */
  @ParameterizedTest
  @CsvSource({"llama,down_proj,up_proj", "qwen2,up_proj,down_proj"})
  void layersOfGatedNetworksAreNamedAsAdapterHubHasThem(
      String name, String intermediate, String output) {
    List<Path> found =
        TinyModels.fixtures("hf").stream().filter(path -> path.endsWith(name)).toList();
    assumeTrue(!found.isEmpty(), "no recorded models at -Dtrimtab.fixtures");
    try (Model model = TinyModels.open(found.getFirst())) {
      Path saved = saved(Lora.rank(2).on(intermediate), model);
      ModelConfig config =
          ModelConfig.read(saved.resolve(AdapterHubFormat.CONFIG)).section("config");
      assertThat(config.flag("intermediate_lora", false)).isTrue();
      assertThat(config.flag("output_lora", true)).isFalse();
      try (Delta again = format.load(saved, model)) {
        assertThat(again.parameters()).allMatch(each -> each.name().contains(intermediate));
      }
      config =
          ModelConfig.read(saved(Lora.rank(2).on(output), model).resolve(AdapterHubFormat.CONFIG))
              .section("config");
      assertThat(config.flag("intermediate_lora", true)).isFalse();
      assertThat(config.flag("output_lora", false)).isTrue();
      refused(Lora.rank(2).on("gate_proj"), model, "layers other than");
    }
  }

  private void refused(DeltaSpec spec, Model model, String why) {
    try (Delta delta = spec.attach(model, Rng.seeded(1))) {
      assertThatThrownBy(() -> format.save(delta, directory.resolve("refused")))
          .isInstanceOf(DeltaException.Unsupported.class)
          .hasMessageContaining(why);
    }
    assertThat(directory.resolve("refused")).doesNotExist();
  }

  @Test
  void fieldsThatChangeTheResultAreRefusedByName() throws IOException {
    try (Model model = TinyModels.maskedLm(directory.resolve("tiny"))) {
      Path saved = saved(Lora.rank(2), model);
      Path config = saved.resolve(AdapterHubFormat.CONFIG);
      String text = Files.readString(config);
      for (String[] change :
          new String[][] {
            {"\"use_dora\" : false", "\"use_dora\" : true", "use_dora"},
            {"\"vera_d\" : null", "\"vera_d\" : 0.1", "vera_d"},
            {"\"r\" : 2", "\"r\" : 2, \"novel\" : 3", "novel"},
            {"\"architecture\" : \"lora\"", "\"architecture\" : \"mtl_lora\"", "mtl_lora"},
            {"\"hidden_size\" : 16", "\"hidden_size\" : 32", "hidden_size 32"}
          }) {
        assertThat(text).contains(change[0]);
        Files.writeString(config, text.replace(change[0], change[1]));
        assertThatThrownBy(() -> format.load(saved, model))
            .isInstanceOf(DeltaException.class)
            .hasMessageContaining(change[2]);
      }
      Files.writeString(config, text);
      Files.writeString(saved.resolve("head_config.json"), "{}");
      assertThatThrownBy(() -> format.load(saved, model)).hasMessageContaining("head_config.json");
    }
  }

  /** Versions before 1.1.0 forgot LoRA's scale; the library reads their files with a scale of 1. */
  @Test
  void loraOfOldVersionsHasNoScale() throws IOException {
    try (Model model = TinyModels.maskedLm(directory.resolve("tiny"))) {
      Path saved = saved(Lora.rank(2).alpha(6), model);
      Path config = saved.resolve(AdapterHubFormat.CONFIG);
      Files.writeString(
          config, Files.readString(config).replace("adapters.1.3.0", "adapters.1.0.2"));
      try (Delta old = format.load(saved, model)) {
        assertThat(old.spec().toConfig(model)).containsEntry("lora_alpha", 2L);
      }
    }
  }

  /** Weight decay shrinks the diagonal of the free numbers, which has to stay a sign in files. */
  @Test
  void signsOutliveWeightDecay() {
    Batch batch = TinyModels.batch();
    try (Model model = TinyModels.maskedLm(directory.resolve("tiny"));
        Delta delta = Reft.of(Reft.Kind.LOREFT, 2).attach(model, Rng.seeded(1))) {
      TinyModels.move(delta, 2); // the diagonal too
      format.save(delta, directory.resolve("delta"));
      try (Delta again = format.load(directory.resolve("delta"), model)) {
        assertThat(
                again.constants().stream()
                    .filter(each -> each.name().endsWith(".signs"))
                    .map(Parameter::value)
                    .map(value -> value.toFloats()[0]))
            .isNotEmpty()
            .allMatch(sign -> sign == -1f);
        assertThat(TinyModels.numbers(model, batch, Pass.with(batch.layout(), again.patches())))
            .isEqualTo(
                TinyModels.numbers(model, batch, Pass.with(batch.layout(), delta.patches())));
      }
    }
  }

  @Test
  void aPlaceWithoutADeltaNamesWhatWasLookedFor() {
    assertThatThrownBy(() -> DeltaFormats.of(directory))
        .isInstanceOf(DeltaException.class)
        .hasMessageContaining("peft_type (peft)")
        .hasMessageContaining("a config (adapterhub)");
    assertThatThrownBy(() -> DeltaFormats.named("zip"))
        .hasMessageContaining("adapterhub, gguf, opendelta, peft");
  }

  private Path saved(DeltaSpec spec, Model model) {
    Path saved = directory.resolve("saved");
    try (Delta delta = spec.attach(model, Rng.seeded(1))) {
      TinyModels.move(delta, 2);
      format.save(delta, saved);
    }
    return saved;
  }
}
